from typing import Any

from sqlalchemy.orm import Mapped

from app.kit.models import Base, Versioned


class Position(Versioned, Base):
    """What an opened position asks for: `criteria` of everybody, `wishes` as `{criteria, weight}`."""

    __tablename__ = "positions"
    name: Mapped[str]
    criteria: Mapped[dict[str, Any]]
    wishes: Mapped[list[dict[str, Any]]]
    score_model: Mapped[str]
