"""Which facts about a person an employer may not collect, told by the name of the field that would hold them.

Two classes. `restricted` follows the guideline to article 5-5 of the Employment Security Act of Japan (Ministry of
Labour notification 141 of 1999, chapter 5): race, social status, domicile of origin, birthplace, family, property and
looks; thought, creed and whom one supports; membership of unions and movements. They may be asked only where the work
makes it indispensable, of the person, with the purpose told. `special_care` follows APPI article 2(3) and article 2 of
its cabinet order: health, disability, crime suffered or committed. They need the person's consent before.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

from app.criteria.fold import fold
from app.kit.pointers import below

Sensitivity = Literal["ordinary", "special_care", "restricted"]

_JAPANESE: Final[Mapping[Sensitivity, tuple[str, ...]]] = {
    "restricted": (
        "人種", "民族", "門地", "社会的身分", "本籍", "出生地", "出身地", "戸籍", "同和", "部落",
        "家族", "両親", "父親", "母親", "兄弟", "姉妹", "保護者", "親の職業", "世帯収入", "資産", "住宅状況",
        "生活環境", "容姿", "身長", "体重", "スリーサイズ", "思想", "信条", "宗教", "信仰", "支持政党", "政党",
        "人生観", "尊敬する人", "愛読書", "購読新聞", "労働組合", "組合加入", "組合員", "学生運動", "社会運動",
    ),
    "special_care": (
        "病歴", "既往歴", "疾病", "疾患", "持病", "通院", "健康診断", "健康状態", "診断結果", "服薬",
        "障害者", "障がい", "障害の有無", "障害等級", "妊娠", "犯罪", "前科", "前歴", "逮捕", "被害歴",
    ),
}  # fmt: skip
_ENGLISH: Final[Mapping[Sensitivity, str]] = {
    "restricted": (
        "race|ethnicity|ethnic (?:origin|group)|caste|social status|family (?:origin|background|register)|honseki"
        "|registered domicile|birth ?place|place of birth|(?:father|mother|parent|family|sibling|spouse)s?(?: \\w+)? "
        "(?:job|occupation|income)|household income|family members?|body (?:height|weight)|physical appearance"
        "|religions?|religious(?: \\w+)?|creed|faith|political(?: \\w+)?|supported party|favou?rite books?"
        "|(?:trade|labou?r) unions?|union member(?:ship)?"
    ),
    "special_care": (
        "medical(?: \\w+)?|health(?: (?:status|condition|check|checkup))?|illness(?:es)?|disease"
        "|disabilit(?:y|ies)|disabled|handicap|pregnan(?:t|cy)|criminal(?: \\w+)?|convictions?|arrests?"
        "|crime victim"
    ),
}
_PATTERNS: Final = {kind: re.compile(f"(?:^|.* )(?:{words})(?: .*|$)") for kind, words in _ENGLISH.items()}
_CAPITAL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_BETWEEN: Final = re.compile(r"[\W_]+")


def sensitivity(name: str) -> Sensitivity:
    """Return the class of what a field of this name would hold."""
    japanese = fold(name).replace(" ", "")
    english = " ".join(_BETWEEN.sub(" ", fold(_CAPITAL.sub(" ", name))).split())
    for kind, words in _JAPANESE.items():
        if any(word in japanese for word in words) or _PATTERNS[kind].match(english):
            return kind
    return "ordinary"


def sensitive_keys(document: Mapping[str, Any], pointer: str) -> Iterator[tuple[str, str]]:
    """Walk a document's keys; give the first name of its path, and the pointer, of each that is not ordinary."""
    for key, value in document.items():
        here = below(pointer, key)
        if value is not None and sensitivity(key) != "ordinary":
            yield key, here
        elif isinstance(value, Mapping):
            yield from ((key, inner) for _, inner in sensitive_keys(value, here))
