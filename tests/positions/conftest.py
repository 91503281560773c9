"""The recruiter of the pools opens positions, too."""

from tests.pools.conftest import recruiter

__all__ = ["recruiter"]
