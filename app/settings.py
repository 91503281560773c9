"""Every setting of a process, read once from the environment."""

from functools import cache
from pathlib import Path

from pydantic import Field, HttpUrl
from pydantic_settings import BaseSettings, SettingsConfigDict

DEFAULT_DATABASE_URL = "postgresql://localhost/talentpool"


class Settings(BaseSettings):
    """One sentence per field; the environment's name is the alias."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    host: str = Field("127.0.0.1", alias="HOST", description="The address that the API listens on.")
    port: int = Field(8000, alias="PORT", ge=1, le=65535, description="The port that the API listens on.")
    data_dir: Path = Field(
        Path(".data"), alias="TALENTPOOL_DATA_DIR", description="Where embedded servers, keys and logs live."
    )
    database_url: str | None = Field(None, alias="DATABASE_URL", description="PostgreSQL; unset: the embedded one.")
    redis_url: str | None = Field(None, alias="REDIS_URL", description="Valkey or Redis; unset: the embedded one.")
    smtp_url: str | None = Field(
        None,
        alias="SMTP_URL",
        description="smtp://user:password@host:port; unset: mails are recorded, not sent.",
    )
    public_base_url: HttpUrl = Field(
        HttpUrl("http://127.0.0.1:8000"),
        alias="PUBLIC_BASE_URL",
        description="What links in mails and hook addresses begin with.",
    )
    secret_key: str | None = Field(
        None,
        alias="TALENTPOOL_SECRET_KEY",
        description="The root of every derived key; unset: a file in the data folder, made at the first start.",
    )
    demo: bool = Field(True, alias="TALENTPOOL_DEMO", description="Whether `talentpool dev` fills its tenant.")
    eventbrite_url: HttpUrl = Field(
        HttpUrl("https://www.eventbriteapi.com"),
        alias="TALENTPOOL_EVENTBRITE_URL",
        description="Where objects of Eventbrite are read.",
    )
    connpass_url: HttpUrl = Field(
        HttpUrl("https://connpass.com/api/v2"),
        alias="TALENTPOOL_CONNPASS_URL",
        description="Where events of connpass are read.",
    )
    rate_limit: int = Field(6000, alias="TALENTPOOL_RATE_LIMIT", ge=0, description="Requests a minute; 0 is off.")
    log_level: str = Field("INFO", alias="TALENTPOOL_LOG_LEVEL", description="The least level that is written.")
    db_pool_size: int = Field(10, alias="TALENTPOOL_DB_POOL", ge=1, description="Connections a process may open.")
    send_lanes: int = Field(10, alias="TALENTPOOL_SEND_LANES", ge=1, description="Mails in flight a worker.")
    send_retry_base_s: float = Field(
        30,
        alias="TALENTPOOL_SEND_RETRY_BASE_S",
        gt=0,
        description="First pause after a refused mail, in seconds.",
    )

    @property
    def base_url(self) -> str:
        """`PUBLIC_BASE_URL` without its final slash."""
        return str(self.public_base_url).rstrip("/")


@cache
def get_settings() -> Settings:
    """The settings of this process."""
    return Settings()
