"""What an import and its rows are in JSON, and the form that starts one."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import UploadFile
from pydantic import ConfigDict, Field, StringConstraints

from app.consent.schemas import Basis
from app.kit.job_routes import JobRead
from app.kit.schemas import Body, Problem, Schema, Timestamp

Verdict = Literal[
    "create", "update", "unchanged", "possible_duplicate", "blocked_erased", "no_consent_basis", "invalid"
]
State = Literal["staging", "staged", "committing", "committed", "undoing", "undone", "failed", "cancelled"]
Word = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]+$")
]

ID = "01999999-0000-7000-8000-00000000000e"
JOB_ID = "01999999-0000-7000-8000-000000000002"
CANDIDATE_ID = "01999999-0000-7000-8000-000000000003"


class ImportForm(Body):
    """A file, and how its rows are meant."""

    file: Annotated[UploadFile, Field(description="CSV, TSV, XLSX or NDJSON, at most 50 MiB.")]
    source: Annotated[Word, Field(description="The system that the ids in the file belong to.")] = "spreadsheet"
    source_type: Annotated[Word | None, Field(description="How these people were met.")] = None
    mapping: Annotated[
        Annotated[str, StringConstraints(max_length=100_000)] | None,
        Field(
            description="JSON: column → field path, null to leave a column out. It wins over the recognised headers."
        ),
    ] = None
    commit: Annotated[Literal["manual", "auto"], Field(description="Whether to write the rows at once.")] = "manual"
    encoding: Annotated[Word | None, Field(description="The file's encoding; found out when absent.")] = None
    basis: Annotated[
        Basis | None,
        Field(description="The basis of contact; `consent` demands a day of consent in every row."),
    ] = None
    connection_id: Annotated[
        UUID | None,
        Field(description="Of a list of people at an event: the connection to Peatix, Doorkeeper or connpass."),
    ] = None
    event: Annotated[
        Annotated[str, StringConstraints(max_length=10_000)] | None,
        Field(description="JSON: the event that the list is of, {id, title, starts_at, url, topics}."),
    ] = None


class ColumnRead(Schema):
    """A column, and which field it fills; null when nothing takes it."""

    name: str
    field: str | None


class NoteRead(Schema):
    """Something about a cell, or about the whole row when `column` is empty."""

    column: str
    code: str
    detail: str


class EventIn(Body):
    """The event that a list of people is of."""

    id: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    title: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    starts_at: Timestamp | None = None
    url: Annotated[str, StringConstraints(min_length=1, max_length=2_000)] | None = None
    topics: Annotated[
        list[Annotated[str, StringConstraints(min_length=1, max_length=200)]],
        Field(default_factory=list, max_length=40),
    ]


class ConflictRead(Schema):
    """What an undo left, and why."""

    row: int
    candidate_id: UUID
    kind: str
    reason: str


class ImportRead(Schema):
    """One file on its way into the pool; `counts` are rows by verdict."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": ID,
                "version": 2,
                "filename": "応募者一覧.csv",
                "format": "csv",
                "encoding": "cp932",
                "source": "spreadsheet",
                "source_type": None,
                "basis": None,
                "commit": "manual",
                "mapping": {},
                "connection_id": None,
                "event": None,
                "columns": [{"name": "氏名", "field": "full_name"}],
                "warnings": [{"column": "血液型", "code": "unmapped_column", "detail": "No field takes this column."}],
                "state": "staged",
                "rows": 1000,
                "counts": {
                    "create": 930,
                    "update": 50,
                    "unchanged": 0,
                    "possible_duplicate": 0,
                    "blocked_erased": 0,
                    "no_consent_basis": 0,
                    "invalid": 20,
                },
                "conflicts": [],
                "error": None,
                "job_id": JOB_ID,
                "created_at": "2026-11-23T00:00:00Z",
                "updated_at": "2026-11-23T00:00:09Z",
            }
        }
    )
    id: UUID
    version: int
    filename: str
    format: Literal["csv", "tsv", "xlsx", "ndjson"]
    encoding: str | None
    source: str
    source_type: str | None
    basis: str | None
    commit: Literal["manual", "auto"]
    mapping: dict[str, str | None]
    connection_id: UUID | None
    event: dict[str, Any] | None
    columns: list[ColumnRead]
    warnings: list[NoteRead]
    state: State
    rows: int
    counts: dict[str, int]
    conflicts: list[ConflictRead]
    error: Problem | None
    job_id: UUID
    created_at: Timestamp
    updated_at: Timestamp


class RowRead(Schema):
    """One row, its number counted from 1 after the header."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "row": 7,
                "verdict": "invalid",
                "candidate_id": None,
                "pair_ids": [],
                "errors": [
                    {"column": "応募日", "code": "invalid_date", "detail": "This is not a day of the calendar."}
                ],
                "warnings": [],
            }
        }
    )
    row: int
    verdict: Verdict
    candidate_id: UUID | None
    pair_ids: list[UUID]
    errors: list[NoteRead]
    warnings: list[NoteRead]


class ImportJob(JobRead):
    """The job that works on an import."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": JOB_ID,
                "kind": "import.stage",
                "state": "queued",
                "progress": {"done": 0, "total": None},
                "counts": {},
                "started_at": None,
                "finished_at": None,
                "eta_s": None,
                "result": None,
                "error": None,
                "import_id": ID,
            }
        }
    )
    import_id: UUID


class Staged(Schema):
    """A row as it is stored, for work on it."""

    row: int
    cells: list[str | None]
    flaws: list[list[Any]]
    verdict: str | None


class Written(Schema):
    """A row that was written, as undoing it needs it."""

    row: int
    candidate_id: UUID
    record_id: UUID
    created: bool
