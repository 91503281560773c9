"""The version of the rules in this package, stored with every record's features."""

from typing import Final

NORMALISER_VERSION: Final = 3
"""Rises whenever a function of the package gives another output for some input: records are folded again."""
