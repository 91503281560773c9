"""`talentpool pool report KEY`: how ready a pool is, whom to call today and why, and what to ask for next."""

from typing import Any, Final

import httpx
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from app.kit.process import StartError
from app.kit.terminal import ask

CALLED: Final = 10
REASONS_SHOWN: Final = 2
BAR: Final = 40


def report(service: httpx.Client, key: str, language: str | None, console: Console) -> None:
    """Show one pool; raises StartError when there is none, or the service cannot be reached or refuses."""
    pools = ask(service, "GET", "/v1/pools", params={"key": key})["data"]
    if not pools:
        raise StartError(f"There is no pool with the key {key}.")
    [pool] = pools
    path = f"/v1/pools/{pool['id']}"
    ready = ask(service, "GET", f"{path}/readiness")
    headers = {"Accept-Language": language} if language else {}
    asked = {"decision": "allow", "limit": str(CALLED)}
    rows = ask(service, "GET", f"{path}/approach-list", params=asked, headers=headers)["data"]
    body: list[RenderableType] = [*_readiness(ready), Text(), _calls(rows, _names(service, rows)), Text(), _next(ready)]
    title = Text.assemble((pool["name"], "bold"), f"  {pool['key']}")
    console.print(Panel(Group(*body), title=title, title_align="left"))


def _names(service: httpx.Client, rows: list[Any]) -> dict[str, str]:
    ids = [row["candidate_id"] for row in rows]
    criteria = {"criteria": {"field": "id", "op": "in", "value": ids}}
    found = ask(service, "POST", "/v1/candidates/search", json=criteria)["data"] if ids else []
    return {each["id"]: each["full_name"] or "Nobody's name" for each in found}


def _readiness(ready: Any) -> list[RenderableType]:  # noqa: ANN401 (JSON)
    """Say how many may be contacted now, and what keeps the others."""
    matched, free = ready["matched"], ready["contactable"]
    filled = round(BAR * free / matched) if matched else 0
    bar = Text.assemble(("█" * filled, "green"), ("░" * (BAR - filled), "dim"))
    bar.append(f"  {free} of {matched} members may be contacted now")
    blocked = ", ".join(f"{each['code']} {each['count']}" for each in ready["blocked"])
    stale = ", ".join(f"{each['field']} {each['count']}" for each in ready["stale"])
    lines = [
        Text.assemble((f"{label:<9}", "dim"), text) for label, text in (("blocked", blocked), ("stale", stale)) if text
    ]
    return [bar, *lines]


def _calls(rows: list[Any], names: dict[str, str]) -> RenderableType:
    if not rows:
        return Text("There is nobody to call today.", "dim")
    table = Table("", "call today", "score", "why", "last", "suggested", box=None, header_style="dim")
    for row in rows:
        why = "\n".join(row["reasons"][:REASONS_SHOWN])
        name = Text(names.get(row["candidate_id"], row["candidate_id"]), "bold")
        score = Text.assemble(f"{row['score']:.1f}\n", (row["tier"], "dim"))
        table.add_row(str(row["rank"]), name, score, Text(why), Text(_last(row)), Text(_suggested(row)))
    return table


def _last(row: Any) -> str:  # noqa: ANN401 (JSON)
    if row["last"] is None:
        return ""
    happened = row["last"]["touchpoint"]
    return f"{happened['occurred_at'][:10]}\n{row['last']['outcome'] or happened['type']}"


def _suggested(row: Any) -> str:  # noqa: ANN401 (JSON)
    held = f"\nheld by {row['lease']['holder']}" if row["lease"] else ""
    suggested = row["suggested"]
    return (suggested["title"] or suggested["kind"].replace("_", " ") if suggested else "") + held


def _next(ready: Any) -> Text:  # noqa: ANN401 (JSON)
    """Say which missing fact would help most."""
    if not ready["missing"]:
        return Text("Nothing that should be known is missing.", "green")
    best = ready["missing"][0]
    gains = [
        text
        for count, text in (
            (best["would_reach"], f"would make {best['would_reach']} reachable"),
            (best["would_match"], f"could make {best['would_match']} more match"),
        )
        if count
    ] or [f"{best['count']} members lack it"]
    return Text.assemble("Ask next for ", (best["field"], "bold"), f": {' and '.join(gains)}.")
