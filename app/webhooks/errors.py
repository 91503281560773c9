from app.kit.errors import Gone


class CursorExpired(Gone):
    """The feed is kept for 30 days, and this cursor is older; list the resources and start from `since=now`."""

    code = "cursor_expired"
