from tests.sequences.conftest import World, world

__all__ = ["World", "world"]
