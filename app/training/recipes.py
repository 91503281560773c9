"""Recipes: the comparisons, keys and training of one kind of file; each is a JSON file, chosen by a file's columns."""

from collections.abc import Collection, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

_FOLDER: Final = Path(__file__).with_name("recipes")


class Compared(BaseModel):
    """A comparison: its kind (app.training.kinds) and the columns that it reads."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: str
    columns: list[str]


class Recipe(BaseModel):
    """How files with the columns `needs` are read and matched.

    `columns` are SQL expressions over a file's columns; where files differ, the first that a file can evaluate counts.
    `candidates` maps a file's columns to fields of POST /v1/candidates: such a file is matched by the tenant's model,
    and needs nothing else. `keys` are the blocking rules, each a list of columns that must be equal. The prior follows
    from the pairs under `sure` keys and the share of the matches, in 0..1, that these are guessed to find (`recall`);
    m is learnt on pairs under each of the `learning` keys.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    tuned_on: str
    needs: list[str]
    truth: str
    candidates: dict[str, str] = {}
    columns: dict[str, list[str]] = {}
    comparisons: dict[str, Compared] = {}
    keys: list[list[str]] = []
    sure: list[list[str]] = []
    recall: float = Field(default=0.8, gt=0, le=1)
    learning: list[list[str]] = []
    most_members: int = 25


@cache
def recipes() -> Sequence[Recipe]:
    files = sorted(_FOLDER.glob("*.json"))
    return [Recipe.model_validate_json(file.read_bytes()) for file in files]


def recipe_for(columns: Collection[str]) -> Recipe | None:
    """Return the recipe whose needs a file's columns meet, the one of most needs first."""
    fitting = [recipe for recipe in recipes() if set(recipe.needs) <= set(columns)]
    return max(fitting, key=lambda recipe: len(recipe.needs), default=None)
