"""How text is compared when case and width do not matter.

Unicode Standard 3.13, toNFKC_Casefold, without the removal of default ignorables. `sql.folded` is the same
function in PostgreSQL; both are stable for every character that both Unicode versions know.
"""

import unicodedata


def fold(text: str) -> str:
    """Fold width, compatibility forms and case: `Ｐｙｔｈｏｎ`, `PYTHON` and `python` are one."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
