"""The recruiter of the pools reads briefs, too."""

from tests.pools.conftest import recruiter

__all__ = ["recruiter"]
