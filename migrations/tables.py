"""Imports every slice's models, so that the metadata is whole."""

import importlib
from pathlib import Path
from typing import Final

import app
from app.kit.models import Base

SLICES: Final = sorted(path.parent.name for path in Path(app.__file__).parent.glob("*/models.py"))
for slice_name in SLICES:
    importlib.import_module(f"app.{slice_name}.models")

METADATA: Final = Base.metadata
