"""`talentpool score explain ID`: what a person's score is made of, how it went, and when it will change."""

from datetime import datetime, timedelta
from typing import Any, Final

import httpx
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from app.kit.terminal import ask
from app.scores import sparkline
from app.scores.sparkline import Part

WIDTH: Final = 60
ROWS_SHOWN: Final = 15
BAR: Final = 16
HEAT: Final = ("blue", "yellow", "bright_red", "magenta")
"""The colours of tiers from the lowest on."""


def explain(service: httpx.Client, candidate_id: str, model: str, console: Console) -> None:
    """Show one score; raises StartError when the service cannot be reached, or refuses."""
    asked = {"model": model}
    score = ask(service, "GET", f"/v1/candidates/{candidate_id}/score", params=asked)
    person = ask(service, "GET", f"/v1/candidates/{score['candidate_id']}")
    published = ask(service, "GET", f"/v1/score-models/{model}")["published"]
    tiers = [each["key"] for each in published["tiers"]]
    body: list[RenderableType] = [_headline(score, tiers), Text(), *_history(score, published), Text(), _parts(score)]
    title = Text.assemble((person["full_name"] or "Nobody's name", "bold"), f"  {score['candidate_id']}")
    under = f"{score['model']} version {score['model_version']}"
    console.print(
        Panel(Group(*body), title=title, subtitle=under, title_align="left", subtitle_align="right", width=80)
    )


def _headline(score: Any, tiers: list[str]) -> Text:  # noqa: ANN401 (JSON)
    """Say the value, its tier, and when that changes."""
    line = Text.assemble(
        (f"{score['value']:.1f}", "bold"),
        " points  ",
        (f" {score['tier']} ", f"reverse {_colour(score['tier'], tiers)}"),
        f"  fit {score['fit']:.1f} + interest {score['interest']:.1f}\n",
    )
    if score["tier_changes_at"] is None:
        return line.append("The tier does not change by itself.", "dim")
    moment, now = _moment(score["tier_changes_at"]), _moment(score["as_of"])
    step = -1 if score["interest"] > 0 else 1
    following = tiers[tiers.index(score["tier"]) + step]
    return line.append(f"Becomes {following} by itself on {_when(moment)}, {_ahead(moment - now)}.")


def _history(score: Any, published: Any) -> list[Text]:  # noqa: ANN401 (JSON)
    """Draw the score over time, each moment in the colour of its tier then."""
    parts = [Part(each["points"], _moment(each["occurred_at"])) for each in score["contributions"] if _is_dated(each)]
    times = sparkline.moments(parts, _moment(score["as_of"]), WIDTH)
    values = sparkline.values(score["fit"], parts, published["half_life_days"], times)
    line = Text()
    for value, block in zip(values, sparkline.blocks(values), strict=True):
        line.append(block, _colour_of(value, published["tiers"]))
    line.append(f"  {min(values):.1f} to {max(values):.1f}", "dim")
    first, last = f"{times[0].date()}", "today"
    return [line, Text(f"{first}{last:>{WIDTH - len(first)}}", "dim")]


def _parts(score: Any) -> Table:  # noqa: ANN401 (JSON)
    """List what weighs, the heaviest first, with what is left of it."""
    parts = sorted(score["contributions"], key=lambda each: -abs(each["decayed_points"]))
    table = Table("what", "since", "points", "now", "", box=None, header_style="dim", padding=(0, 2, 0, 0))
    for name in ("points", "now"):
        next(each for each in table.columns if each.header == name).justify = "right"
    heaviest = max((abs(each["decayed_points"]) for each in parts), default=0)
    for each in parts[:ROWS_SHOWN]:
        left = each["decayed_points"]
        since = _when(_moment(each["occurred_at"])) if _is_dated(each) else "as long as it holds"
        bar = Text("█" * max(1, round(BAR * abs(left) / heaviest)), "green" if left > 0 else "red")
        table.add_row(each["rule"], since, f"{each['points']:+.1f}", f"{left:+.1f}", bar)
    rest = parts[ROWS_SHOWN:]
    if rest:
        table.add_row(f"{len(rest)} more", "", "", f"{sum(each['decayed_points'] for each in rest):+.1f}", "")
    if not parts:
        table.add_row("nothing yet", "", "", "", "")
    return table


def _is_dated(part: Any) -> bool:  # noqa: ANN401 (JSON)
    return part["occurred_at"] is not None


def _colour(tier: str, tiers: list[str]) -> str:
    return HEAT[min(tiers.index(tier), len(HEAT) - 1)]


def _colour_of(value: float, tiers: Any) -> str:  # noqa: ANN401 (JSON)
    reached = [each["key"] for each in tiers if each["from"] is None or each["from"] <= value]
    return _colour(reached[-1], [each["key"] for each in tiers])


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _when(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"


def _ahead(span: timedelta) -> str:
    """Say how far ahead a moment is."""
    if span >= timedelta(days=2):
        return f"in {span.days} days"
    return f"in {max(span, timedelta()) // timedelta(hours=1)} hours"
