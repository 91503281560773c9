"""What a sequence says: its steps and the words around them, and which step follows which."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator

from app.kit.schemas import Body
from app.sequences import schedule
from app.tenancy.schemas import Clock, SendWindow, Weekday

MOST_STEPS: Final = 100
DEEPEST_BRANCH: Final = 8

ExitWord = Literal[
    "reply", "meeting", "application", "hire", "unsubscribed", "complaint", "hard_bounce", "consent_withdrawn", "erased"
]
EXIT_WORDS: Final[tuple[ExitWord, ...]] = (
    "reply", "meeting", "application", "hire", "unsubscribed", "complaint", "hard_bounce", "consent_withdrawn",
    "erased",
)  # fmt: skip
TYPES_OF: Final[dict[str, tuple[str, ...]]] = {
    "reply": ("email_replied",),
    "meeting": ("meeting", "casual_interview", "screened", "interviewed"),
    "application": ("applied",),
    "hire": ("hired",),
    "unsubscribed": ("email_unsubscribed",),
    "complaint": ("email_complained",),
    "hard_bounce": ("email_bounced",),
}
"""Exit word → the types of touchpoints that say it; the other words are asked of the contact decision."""
SINCE_START: Final = frozenset({"reply", "meeting", "application", "hire"})
"""Words that count only from the enrollment's start on; the others always."""
CODE_OF: Final = {
    "unsubscribed": "unsubscribed",
    "consent_withdrawn": "consent_withdrawn",
    "complained": "complaint",
    "address_bounced": "hard_bounce",
    "erased": "erased",
}
"""Code of a denial → the exit word that says the same."""


def _duration(text: str) -> str:
    schedule.duration(text)
    return text


StepKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$")]
Duration = Annotated[str, AfterValidator(_duration)]
Tree = dict[str, Any]
Reason = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class ContentChoice(Body):
    kind: Literal["article", "interview", "event", "job"]
    pick: Literal["best", "id"]
    content_id: UUID | None = None
    hold_out: float = Field(0.0, ge=0, le=1)

    @model_validator(mode="after")
    def _named(self) -> "ContentChoice":
        if self.pick == "id" and self.content_id is None:
            raise ValueError
        return self


class Variant(Body):
    """One of several wordings of a step; a person gets the same one each time."""

    key: StepKey
    template_id: UUID
    weight: int = Field(1, ge=1, le=1000)


class Send(Body):
    """A mail: of one template, or of one of several variants."""

    key: StepKey
    type: Literal["send"]
    template_id: UUID | None = None
    variants: Annotated[list[Variant], Field(min_length=2, max_length=10)] | None = None
    content: ContentChoice | None = None

    @model_validator(mode="after")
    def _one(self) -> "Send":
        keys = [variant.key for variant in self.variants or ()]
        if (self.template_id is None) == (self.variants is None) or len(set(keys)) != len(keys):
            raise ValueError
        return self

    @property
    def templates(self) -> list[tuple[str, UUID]]:
        """Return the JSON pointer, below the step, and the id of every template that it may use."""
        if self.template_id is not None:
            return [("/template_id", self.template_id)]
        listed = enumerate(self.variants or ())
        return [(f"/variants/{place}/template_id", variant.template_id) for place, variant in listed]


class LocalTime(Body):
    time: Clock
    weekdays: list[Weekday] = Field([])


class Wait(Body):
    """Exactly one of `for`, `until_local`, `until`; the last one with its limit."""

    key: StepKey
    type: Literal["wait"]
    for_: Duration | None = Field(None, alias="for")
    until_local: LocalTime | None = None
    until: Tree | None = None
    limit: Duration | None = None
    on_limit: Literal["continue", "exit"] | None = None

    @model_validator(mode="after")
    def _one(self) -> "Wait":
        if sum(given is not None for given in (self.for_, self.until_local, self.until)) != 1:
            raise ValueError
        if (self.until is None) != (self.limit is None):
            raise ValueError
        return self


class Branch(Body):
    key: StepKey
    type: Literal["branch"]
    if_: Tree = Field(alias="if")
    then: list["Step"] = Field([])
    else_: list["Step"] = Field([], alias="else")


class TagStep(Body):
    key: StepKey
    type: Literal["tag"]
    add: list[Tag] = Field([])
    remove: list[Tag] = Field([])


class Notify(Body):
    key: StepKey
    type: Literal["notify"]
    event: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.]{0,99}$")]
    data: dict[str, Any] = Field({})


class Exit(Body):
    key: StepKey
    type: Literal["exit"]
    reason: Reason = "exit_step"


Step = Annotated[Send | Wait | Branch | TagStep | Notify | Exit, Field(discriminator="type")]


class Entry(Body):
    """What enrolls people by itself; the member that `on` asks for must be there."""

    on: Literal["pool_entered", "tag_added", "source_added", "tier_changed", "import"]
    pool_id: UUID | None = None
    tag: Tag | None = None
    source_type: str | None = Field(None, max_length=100)
    to: str | None = Field(None, max_length=100)
    import_id: UUID | None = None

    @model_validator(mode="after")
    def _whole(self) -> "Entry":
        member = {
            "pool_entered": self.pool_id,
            "tag_added": self.tag,
            "source_added": self.source_type,
            "tier_changed": self.to,
            "import": self.import_id,
        }
        if member[self.on] is None or sum(value is not None for value in member.values()) != 1:
            raise ValueError
        return self

    @property
    def word(self) -> str:
        """Return what tells this entry from the others of its sequence."""
        asked = self.pool_id or self.tag or self.source_type or self.to or self.import_id
        return f"{self.on}:{asked}"


class Reentry(Body):
    allowed: bool = False
    after: Duration | None = None


class Definition(Body):
    """Everything of a sequence that its revisions keep."""

    model_config = ConfigDict(populate_by_name=True)
    purpose: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")] = "talent_pool"
    channel: Literal["email"] = "email"
    steps: list[Step] = Field([], max_length=MOST_STEPS)
    entry: list[Entry] = Field([], max_length=50)
    exit_on: list[ExitWord] = Field([*EXIT_WORDS])
    exit_if: Tree | None = None
    reentry: Reentry = Reentry()
    window: SendWindow | None = None

    def stored(self) -> dict[str, Any]:
        """Return the definition as JSON, its steps and entries as they were written."""
        return {
            "purpose": self.purpose,
            "channel": self.channel,
            "steps": [_written(step) for step in self.steps],
            "entry": [_written(entry) for entry in self.entry],
            "exit_on": list(self.exit_on),
            "exit_if": self.exit_if,
            "reentry": self.reentry.model_dump(mode="json"),
            "window": self.window.model_dump(mode="json", by_alias=True) if self.window else None,
        }


def _written(part: Body) -> dict[str, Any]:
    return part.model_dump(mode="json", by_alias=True, exclude_unset=True)


def walk(steps: Sequence[Step], pointer: str = "/steps", depth: int = 0) -> Iterator[tuple[str, Step, int]]:
    """Yield every step with its JSON pointer and how many branches it is in, in the order of the text."""
    for index, step in enumerate(steps):
        place = f"{pointer}/{index}"
        yield place, step, depth
        if isinstance(step, Branch):
            yield from walk(step.then, f"{place}/then", depth + 1)
            yield from walk(step.else_, f"{place}/else", depth + 1)


def find(definition: Definition, key: str) -> Step | None:
    """Return the step with this key."""
    return next((step for _, step, _ in walk(definition.steps) if step.key == key), None)


def first(definition: Definition) -> Step | None:
    """Return where an enrollment begins."""
    return definition.steps[0] if definition.steps else None


def following(definition: Definition, key: str) -> Step | None:
    """Return the step after this one: the next of its list, else what follows the branch that it ends; None at the end.

    A branch is followed by what comes after it; into which of its lists to go is for who evaluates it.
    """
    return _following(definition.steps, key, None)


def _following(steps: Sequence[Step], key: str, after: Step | None) -> Step | None:
    for index, step in enumerate(steps):
        then = steps[index + 1] if index + 1 < len(steps) else after
        if step.key == key:
            return then
        if isinstance(step, Branch):
            for inner in (step.then, step.else_):
                if any(each.key == key for _, each, _ in walk(inner)):
                    return _following(inner, key, then)
    return None


def trees(definition: Definition) -> Iterator[tuple[str, Tree]]:
    """Yield the search trees of a definition with their JSON pointers."""
    for place, step, _ in walk(definition.steps):
        if isinstance(step, Branch):
            yield f"{place}/if", step.if_
        elif isinstance(step, Wait) and step.until is not None:
            yield f"{place}/until", step.until
    if definition.exit_if is not None:
        yield "/exit_if", definition.exit_if


def problems(definition: Definition) -> list[tuple[str, str, str]]:
    """Return (pointer, code, sentence) of what is wrong with the steps as a whole."""
    found: list[tuple[str, str, str]] = []
    seen: set[str] = set()
    for place, step, depth in walk(definition.steps):
        if step.key in seen:
            found.append((f"{place}/key", "duplicate_step_key", "Each step needs a key of its own."))
        if depth > DEEPEST_BRANCH:
            found.append((place, "too_deep", "Branches are nested too deep."))
        seen.add(step.key)
    if len(seen) > MOST_STEPS:
        found.append(("/steps", "too_long", "These are too many."))
    return found
