"""The command `talentpool`."""

import asyncio
import os
import sys
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Annotated
from urllib.parse import urlsplit

import httpx
import typer
from pydantic import ValidationError
from rich.console import Console

from app import dev, openapi
from app.imports import command as imports
from app.imports.columns import field_of_header
from app.kit import http, migrate, terminal
from app.kit.embedded import running_database_url
from app.kit.errors import AppError
from app.kit.migrate import DatabaseUnusable
from app.kit.process import StartError
from app.main import create_app
from app.pools import command as pools
from app.scores import command as scores
from app.sequences import command as sequences
from app.settings import Settings, get_settings
from app.sweeps import command as sweeps
from app.sweeps.engines import Engine
from app.tenancy.bootstrap import create_key

app = typer.Typer(
    help="The service that remembers everybody who has ever met a company.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
keys = typer.Typer(help="API keys.", no_args_is_help=True)
app.add_typer(keys, name="keys")
score = typer.Typer(help="Scores.", no_args_is_help=True)
app.add_typer(score, name="score")
pool = typer.Typer(help="Pools.", no_args_is_help=True)
app.add_typer(pool, name="pool")
sequence = typer.Typer(help="Sequences.", no_args_is_help=True)
app.add_typer(sequence, name="sequence")

matching = typer.Typer(
    help="Matching: the model's training and evaluation; needs the extra bulk.", no_args_is_help=True
)
app.add_typer(matching, name="dedup")


class Against(StrEnum):
    """What a matching is compared with."""

    SPLINK = "splink"


Url = Annotated[str | None, typer.Option(help="Where the service runs; else on this machine at $PORT.")]


@app.command("dev")
def develop() -> None:
    """Run everything on this machine: PostgreSQL, Valkey, the API, the worker and a demo tenant."""
    dev.run(_settings())


@app.command()
def serve() -> None:
    """Run one API process."""
    _become(dev.api_command(_settings()))


@app.command()
def worker() -> None:
    """Run one worker process."""
    _become(dev.worker_command())


@app.command("migrate")
def migrate_database() -> None:
    """Bring the database to this version."""
    migrate.upgrade(_database_url(_settings()))


@app.command("openapi")
def export(
    *,
    check: Annotated[bool, typer.Option(help="Fail when the committed document is not the current one.")] = False,
) -> None:
    """Write the OpenAPI document."""
    current = openapi.text(create_app())
    if not check:
        openapi.FILE.write_text(current)
    elif not openapi.FILE.exists() or openapi.FILE.read_text() != current:
        sys.exit(f"{openapi.FILE} is not what the routes say: write it by talentpool openapi.")


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="CSV, TSV, XLSX or NDJSON.")],
    *,
    source: Annotated[str, typer.Option(help="The system that the ids in the file belong to.")] = "spreadsheet",
    source_type: Annotated[str | None, typer.Option(help="How these people were met, such as past_applicant.")] = None,
    commit: Annotated[bool, typer.Option("--commit/--dry-run", help="Write the rows, or only judge them.")] = True,
    url: Url = None,
) -> None:
    """Bring a file of people into the running service."""
    form = {"source": source, "commit": "auto" if commit else "manual"}
    form |= {"source_type": source_type} if source_type else {}
    with _service(url) as client:
        if not imports.run(client, file, form, Console()):
            sys.exit(1)


@score.command("explain")
def explain_score(
    candidate_id: Annotated[str, typer.Argument(metavar="ID", help="The candidate's id.")],
    *,
    model: Annotated[str, typer.Option(help="The key of a score model.")] = "default",
    url: Url = None,
) -> None:
    """Show what a candidate's score is made of, how it went, and when the tier changes."""
    with _service(url) as client:
        scores.explain(client, candidate_id, model, Console())


@pool.command("report")
def report_pool(
    key: Annotated[str, typer.Argument(help="The pool's key.")],
    *,
    language: Annotated[str | None, typer.Option(help="ja or en, for the reasons; else the tenant's.")] = None,
    url: Url = None,
) -> None:
    """Show how ready a pool is, the ten to call today and why, and the missing fact that would help most."""
    with _service(url) as client:
        pools.report(client, key, language, Console())


@sequence.command("preview")
def preview_sequence(
    key: Annotated[str, typer.Argument(help="The sequence's key.")],
    *,
    candidate: Annotated[str, typer.Option(metavar="ID", help="The candidate's id.")],
    url: Url = None,
) -> None:
    """Show the calendar of a candidate's next months: what would be sent when, what is put off, and why."""
    with _service(url) as client:
        sequences.preview(client, key, candidate, Console())


@matching.command("train")
def train(
    *,
    records: Annotated[int, typer.Option(help="How many made-up records to train on.", min=1_000)] = 60_000,
    seed: Annotated[int, typer.Option(help="The same seed makes the same model.")] = 1,
    data: Annotated[list[Path] | None, typer.Option(help="Train on this file instead: CSV or Parquet.")] = None,
    out: Annotated[Path, typer.Option(help="Where the model is written.")] = Path("model.json"),
) -> None:
    """Train the weights of matching with Splink, without looking at any truth."""
    _bulk().run_train(Console(), out, records, seed, data or [], field_of_header)


@matching.command("evaluate")
def evaluate(
    *,
    data: Annotated[list[Path], typer.Option(help="CSV or Parquet; two files are matched against each other.")],
    truth: Annotated[str | None, typer.Option(help="The column that says who a record is about.")] = None,
    model: Annotated[Path | None, typer.Option(help="A model that `dedup train` has written.")] = None,
    against: Annotated[Against | None, typer.Option(help="Show the figures of this beside ours.")] = None,
    picture: Annotated[Path | None, typer.Option(help="Draw the figures to this SVG file.")] = None,
) -> None:
    """Measure matching on a file with the truth in it."""
    with_splink = against is Against.SPLINK
    _bulk().run_evaluate(Console(), data, field_of_header, truth, model, picture, with_splink=with_splink)


@matching.command("sweep")
def sweep_tenant(
    *,
    tenant: Annotated[str, typer.Option(help="The tenant's name.")],
    engine: Annotated[Engine | None, typer.Option(help="Else the one that suits the size of the pool.")] = None,
) -> None:
    """Compare everybody with everybody: link who is the same, ask about the rest; a worker does it."""
    asyncio.run(sweeps.run(_database_url(_settings()), tenant, engine, Console()))


def _bulk() -> ModuleType:
    """Load what only the extra bulk can run; raises StartError without it."""
    try:
        return import_module("app.training.command")
    except ModuleNotFoundError as error:
        raise StartError(
            f"{error.name} is not installed: install talentpool with its extra, talentpool[bulk]."
        ) from error


@keys.command("create")
def create(
    tenant: Annotated[str, typer.Option(help="The tenant's name; it is made when it is new.")],
    scope: Annotated[
        list[str], typer.Option(help="What the key may do, such as candidates:read or admin; repeatable.")
    ],
    name: Annotated[str, typer.Option(help="What the key is for.")] = "command line",
) -> None:
    """Print a new API key; it is not shown again."""
    print(asyncio.run(create_key(_database_url(_settings()), tenant, scope, name)))


def _service(url: str | None) -> httpx.Client:
    settings = _settings()
    return http.service_client(url or f"http://127.0.0.1:{settings.port}", terminal.api_key(settings.data_dir))


def _settings() -> Settings:
    settings = get_settings()
    if settings.database_url is not None and not _is_postgres(settings.database_url):
        raise StartError("DATABASE_URL is not of the form postgresql://user:password@host:port/database.")
    return settings


def _is_postgres(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme.startswith("postgres") and parts.port != 0
    except ValueError:
        return False


def _database_url(settings: Settings) -> str:
    return settings.database_url or running_database_url(settings.data_dir / "postgres", dev.DATABASE)


def _become(command: list[str]) -> None:
    os.execv(command[0], command)  # noqa: S606 - the command is our own


def main() -> None:
    """Run the command line; what an operator can mend is one sentence and exit code 1."""
    try:
        app()
    except (StartError, DatabaseUnusable) as error:
        sys.exit(str(error))
    except AppError as error:
        sys.exit(error.detail)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        sys.exit(f"The setting {'.'.join(map(str, first['loc']))} is wrong: {first['msg']}.")
    except OSError as error:
        sys.exit(f"{error.strerror or 'The system refuses'}: {error.filename or 'see the logs'}.")


if __name__ == "__main__":
    main()
