"""`talentpool sequence preview KEY --candidate ID`: the calendar of a candidate's next months."""

from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import httpx
from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from app.kit.process import StartError
from app.kit.terminal import ask

ICONS: Final = {"send": "✉", "wait": "…", "branch": "⑂", "tag": "#", "notify": "!", "exit": "×"}


def preview(service: httpx.Client, key: str, candidate_id: str, console: Console) -> None:
    """Show what one sequence would do; raises StartError when there is none, or the service refuses."""
    sequence = _found(service, key)
    found = ask(service, "POST", f"/v1/sequences/{sequence['id']}/preview", json={"candidate_id": candidate_id})
    person = ask(service, "GET", f"/v1/candidates/{found['candidate_id']}")
    zone = ZoneInfo(found["timezone"])
    table = Table("when", "", "step", "what", box=None, header_style="dim", pad_edge=False)
    month = ""
    for step in found["steps"]:
        moment = _local(step["at"] or step["due_at"], zone)
        if moment.strftime("%Y-%m") != month:
            month = moment.strftime("%Y-%m")
            table.add_row(Text(month, "bold"), "", "", "")
        table.add_row(_when(step, moment), ICONS[step["type"]], Text(step["step"]), _what(step, zone))
    begun = "is on the way" if found["enrollment_id"] else "is not enrolled: as if entered now"
    head = Text.assemble((person["full_name"] or candidate_id, "bold"), f" {begun}; times of {found['timezone']}")
    title = Text.assemble((sequence["name"], "bold"), f"  {sequence['key']}  revision {found['revision']}")
    console.print(Panel(Group(head, Text(), table), title=title, title_align="left"))


def _found(service: httpx.Client, key: str) -> Any:  # noqa: ANN401 (JSON)
    path: str | None = "/v1/sequences?limit=200"
    while path:
        page = ask(service, "GET", path)
        for each in page["data"]:
            if each["key"] == key:
                return each
        cursor = page["next_cursor"]
        path = f"/v1/sequences?limit=200&cursor={cursor}" if cursor else None
    raise StartError(f"There is no sequence with the key {key}.")


def _local(text: str, zone: ZoneInfo) -> datetime:
    return datetime.fromisoformat(text).astimezone(zone)


def _when(step: Any, moment: datetime) -> Text:  # noqa: ANN401 (JSON)
    return Text(moment.strftime("  %a %d, %H:%M"), "green" if step["type"] == "send" and step["at"] else "dim")


def _what(step: Any, zone: ZoneInfo) -> Text:  # noqa: ANN401 (JSON)
    said = ", ".join(each.replace("_", " ") for each in step["reasons"])
    if step["type"] != "send":
        return Text(said, "dim")
    if step["at"] is None:
        return Text.assemble((step["subject"] or "", "strike"), (f"  not sent: {said}", "red"))
    due = _local(step["due_at"], zone).strftime("%d %H:%M")
    return Text.assemble(step["subject"] or "", (f"  due {due}, put off: {said}" if said else "", "yellow"))
