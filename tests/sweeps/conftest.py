"""What every engine of a sweep is asked with."""

import pytest

from app.sweeps.engines import Engine


@pytest.fixture(params=["postgres", "duckdb"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine in turn that is installed."""
    if request.param == "duckdb":
        pytest.importorskip("splink")
    chosen: Engine = request.param
    return chosen
