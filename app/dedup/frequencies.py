"""The shipped frequencies of names."""

from app.dedup.sides import Side


def shipped(side: Side) -> dict[str, float]:
    """Return column → share of the shipped records that hold this record's value, in 0..1."""
    return dict.fromkeys((column for column, _ in side.counted()), 0.0)
