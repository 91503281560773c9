from pydantic import ConfigDict

from app.kit.schemas import Body


class SweepStart(Body):
    """There is nothing to say: a sweep is of the whole pool, by the tenant's policy."""

    model_config = ConfigDict(json_schema_extra={"example": {}})
