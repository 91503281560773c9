"""Companies' names without their legal form."""

import re
from functools import lru_cache

from app.normalise.text import search_key

_JAPANESE_FORMS = (
    "株式会社|有限会社|合同会社|合資会社|合名会社|相互会社|医療法人|学校法人|社会福祉法人|宗教法人|独立行政法人|国立大学法人|"
    "(?:一般|公益)?(?:社団|財団)法人|特定非営利活動法人|npo法人|弁護士法人|税理士法人|監査法人"
)
_SHORT_FORMS = r"\((?:株|有|合|資|名|医|学|社|財|福|独|同)\)"
_FORM = re.compile(rf"{_JAPANESE_FORMS}|{_SHORT_FORMS}")
_LATIN_FORM = re.compile(
    r"[\s,.]+(?:co\.?,?\s*ltd|company limited|inc|incorporated|corp|corporation|ltd|limited|llc|llp|plc|gmbh|ag|"
    r"s\.?a|s\.?r\.?l|b\.?v|pty|pte|k\.?\s?k|g\.?\s?k|co|company)\.?$"
)
_LONGEST_NAME = 300
_BETWEEN = re.compile(r"[\W_]+")


@lru_cache(maxsize=4_096)
def company_key(raw: str) -> str | None:
    """Give one key to 株式会社トヨタ自動車, トヨタ自動車㈱ and ﾄﾖﾀ自動車; None when no letter or digit is left.

    The first 300 characters count.
    """
    written = search_key(raw[:_LONGEST_NAME])
    name = _at_ends(written)
    while (shorter := _LATIN_FORM.sub("", name)) != name and shorter:
        name = shorter
    return _BETWEEN.sub("", name) or _BETWEEN.sub("", written) or None


def _at_ends(name: str) -> str:
    """Take legal forms off in front and behind; inside a name they belong to it."""
    while True:
        bare = name.strip(" ・,.、。　")
        for found in _FORM.finditer(bare):
            if found.start() == 0 or found.end() == len(bare):
                shorter = (bare[: found.start()] + bare[found.end() :]).strip()
                break
        else:
            return bare
        if not shorter:
            return bare
        name = shorter
