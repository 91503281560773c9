"""What mail providers have in common: which mail it is about, how it bounced, and who asked for a picture or a link."""

from collections.abc import Mapping
from typing import Any, Final

from app.connectors import reading
from app.connectors.signals import Evidence, ProviderFlag, present, text

READER_TYPES: Final = frozenset({"email_opened", "email_clicked"})
"""Only of these are agent and address the reader's; of other events they are a mail server's."""


def data(
    message_id: str | None,
    *,
    url: str | None = None,
    subject: str | None = None,
    bounce: Mapping[str, str | None] | None = None,
) -> dict[str, Any]:
    """Return a touchpoint's `data`, as far as it is known."""
    return present(message_id=message_id, url=url, subject=subject, bounce=bounce)


def bounce(code: str | None, reason: str | None, *, hard: bool) -> dict[str, str | None]:
    """Return `data.bounce`."""
    return {"kind": "hard" if hard else "soft", "code": code, "reason": reason}


def evidence(item: Mapping[str, Any], agent: str, ip: str, flag: ProviderFlag | None = None) -> Evidence:
    """Take the reader's agent and address from the members of these names; an empty agent is one, too."""
    value = item.get(agent)
    return Evidence(provider_flag=flag, user_agent=value if isinstance(value, str) else None, ip=text(item, ip))


def recipients(value: object) -> tuple[str, ...]:
    """Return the bare addresses of a list, each once."""
    found = [reading.address(each) for each in (value if isinstance(value, list) else [value])]
    return tuple(dict.fromkeys(each for each in found if each is not None))
