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
WORTH_A_ROW: Final = 0.05
"""Points; less is +0.0 in the table."""

EIGHTHS: Final = " ▏▎▍▌▋▊▉"
HEAT: Final = ("blue", "yellow", "bright_red", "magenta")
"""The colours of tiers from the lowest on."""


def explain(service: httpx.Client, candidate_id: str, model: str, console: Console) -> None:
    """Show one score; raises StartError when the service cannot be reached, or refuses."""
    asked = {"model": model}
    score = ask(service, "GET", f"/v1/candidates/{candidate_id}/score", params=asked)
    person = ask(service, "GET", f"/v1/candidates/{score['candidate_id']}")
    published = ask(service, "GET", f"/v1/score-models/{model}")["published"]
    tiers = published["tiers"]
    body: list[RenderableType] = [_headline(score, tiers), Text(), *_history(score, published), Text(), _parts(score)]
    title = Text.assemble((person["full_name"] or "Nobody's name", "bold"), f"  {score['candidate_id']}")
    under = f"{score['model']} version {score['model_version']}"
    console.print(
        Panel(Group(*body), title=title, subtitle=under, title_align="left", subtitle_align="right", width=80)
    )


def _headline(score: Any, tiers: Any) -> Text:  # noqa: ANN401 (JSON)
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
    place, falls = [each["key"] for each in tiers].index(score["tier"]), score["interest"] > 0
    other = tiers[place - 1 if falls else place + 1]
    limit = f"below {tiers[place]['from']:g}" if falls else f"from {other['from']:g} on"
    line.append("Becomes ").append(other["key"], _colour(other["key"], tiers))
    return line.append(f" ({limit}) by itself on {_when(moment)}, {_ahead(moment - now)}.")


def _history(score: Any, published: Any) -> list[Text]:  # noqa: ANN401 (JSON)
    """Draw the score over time, each moment in the colour of its tier then."""
    parts = [Part(each["points"], _moment(each["occurred_at"])) for each in score["contributions"] if _is_dated(each)]
    tiers, times = published["tiers"], sparkline.moments(parts, _moment(score["as_of"]), WIDTH)
    values = sparkline.values(score["fit"], parts, published["half_life_days"], times)
    line = Text()
    for value, block in zip(values, sparkline.blocks(values, _lowest_bound(tiers)), strict=True):
        line.append(block, _colour_of(value, tiers))
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
    shown = [each for each in parts[:ROWS_SHOWN] if abs(each["decayed_points"]) >= WORTH_A_ROW]
    for each in shown:
        left = each["decayed_points"]
        since = _when(_moment(each["occurred_at"])) if _is_dated(each) else "as long as it holds"
        bar = Text(_bar(abs(left) / heaviest), "green" if left > 0 else "red")
        table.add_row(each["rule"], since, f"{each['points']:+.1f}", f"{left:+.1f}", bar)
    rest = parts[len(shown) :]
    if rest:
        table.add_row(f"{len(rest)} more", "", "", f"{sum(each['decayed_points'] for each in rest):+.1f}", "")
    if not parts:
        table.add_row("nothing yet", "", "", "", "")
    return table


def _bar(part: float) -> str:
    """Draw a part of the whole length to an eighth of a block."""
    whole, eighths = divmod(max(1, round(BAR * len(EIGHTHS) * part)), len(EIGHTHS))
    return "█" * whole + EIGHTHS[eighths].strip()


def _is_dated(part: Any) -> bool:  # noqa: ANN401 (JSON)
    return part["occurred_at"] is not None


def _colour(tier: str, tiers: Any) -> str:  # noqa: ANN401 (JSON)
    return HEAT[min([each["key"] for each in tiers].index(tier), len(HEAT) - 1)]


def _colour_of(value: float, tiers: Any) -> str:  # noqa: ANN401 (JSON)
    return _colour([each["key"] for each in tiers if each["from"] is None or each["from"] <= value][-1], tiers)


def _lowest_bound(tiers: Any) -> float:  # noqa: ANN401 (JSON)
    """Return what a score must reach to be worth a look: who never did has a low line."""
    return max(0.0, tiers[1]["from"]) if len(tiers) > 1 else 0.0


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _when(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"


def _ahead(span: timedelta) -> str:
    """Say how far ahead a moment is."""
    if span >= timedelta(days=2):
        return f"in {span.days} days"
    return f"in {max(span, timedelta()) // timedelta(hours=1)} hours"
