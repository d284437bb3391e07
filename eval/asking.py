"""What kind of answer a question asks for, and whether a sentence holds a candidate of that kind which the question does not.

A candidate is a number, a sum of money, a span of time, a date, a name or a word that gives a reason: a sentence without one of
the kind that is asked for rarely answers. What asks for none of these kinds is `OTHER`, which every sentence fits.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from enum import StrEnum

from eval.units import Kind, Unit
from ingest.tokens import stem


class AnswerKind(StrEnum):
    """The kind of thing that is asked for."""

    DATE = "date"
    TIMING = "timing"
    MONEY = "money"
    CONTACT = "contact"
    NUMBER = "number"
    ORGANISATION = "organisation"
    NAME = "name"
    PLACE = "place"
    REASON = "reason"
    OTHER = "other"


# The first that matches holds: `how many years` asks for a number, `in which year` for a date.
_ASKS = (
    (
        AnswerKind.DATE,
        re.compile(
            r"\bwhen\b|\b(?:what|which) (?:\w+ )?(?:year|date|day|month|century|decade|time|season)\b"
            "|何时|何時|[什甚][么麼](?:时候|時候|时间|時間)|哪一?[年天月日季]|[几幾][年月](?!以|之|内|內)|何[年月]"
            "|哪[个個](?:世[纪紀]|年|月|时|時)|[时時][间間]是|日期|年代",
            re.IGNORECASE,
        ),
    ),
    (
        AnswerKind.TIMING,
        re.compile(
            r"\bhow (?:long|often|soon|quickly|late|early)\b"
            "|多久|多[长長](?:时间|時間)|(?:多少|[几幾])[个個]?(?:天|年|月|星期|周|小[时時]|分[钟鐘])|周期|期限",
            re.IGNORECASE,
        ),
    ),
    (
        AnswerKind.MONEY,
        re.compile(
            r"\b(?:how much|what|which)\b.*\b(?:price|costs?|charged?|fees?|sum|salary|wage|budget|pay|paid|refund(?:ed)?"
            r"|allowance|bonus|fine|penalty|rent|deposit|compensation)\b"
            "|(?:[费費价價]|金[额額]|[补補][贴貼助]|[罚罰]款|[奖獎]金|工[资資]|[报報]酬|租金|押金|[预預]算|[赔賠][偿償]).*(?:多少|[几幾什甚]|哪)"
            "|(?:多少|[几幾])[钱錢元]",
            re.IGNORECASE,
        ),
    ),
    (
        AnswerKind.CONTACT,
        re.compile(
            r"\b(?:what|which)\b.*\b(?:telephone|phone|extension|fax|e-?mail|website)\b|(?:[电電][话話]|[热熱][线線]|[号號][码碼]|[邮郵]箱|分[机機])"
            ".*(?:多少|[几幾什甚]|哪)",
            re.IGNORECASE,
        ),
    ),
    (
        AnswerKind.NUMBER,
        re.compile(
            r"\bhow (?:many|much|long|old|often|far|high|large|big|soon|fast|tall|wide|deep|heavy|early|late)\b"
            r"|\b(?:what|which) (?:\w+ ){0,2}?(?:percentage|percent|number|amount|price|rate|population|temperature|age|size"
            r"|length|height|distance|share|ratio)\b"
            "|多少|几|幾|多[久长長大高远遠重深宽寬快]|比例|人口|面[积積]",
            re.IGNORECASE,
        ),
    ),
    (
        AnswerKind.ORGANISATION,
        re.compile(
            r"\b(?:what|which) (?:\w+ ){0,2}?(?:company|supplier|insurer|manufacturer|vendor|firm|bank|agency|provider|contractor"
            r"|institute|brand|organi[sz]ation|authority|laboratory|university|airline)\b"
            "|哪一?[家所]|品牌|哪[个個](?:[单單]位|[机機][构構]|部[门門])",
            re.IGNORECASE,
        ),
    ),
    (
        AnswerKind.NAME,
        re.compile(
            r"\b(?:who|whom|whose)\b|\b(?:what|which) (?:\w+ ){0,2}?(?:person|people|name|team|player|king"
            r"|president|author|group|school|church|language)\b"
            "|[谁誰]|哪一?位|何人|[什甚][么麼]人|哪[个個些]人|哪名|姓名",
            re.IGNORECASE,
        ),
    ),
    (
        AnswerKind.PLACE,
        re.compile(
            r"\bwhere\b|\b(?:what|which) (?:\w+ ){0,2}?(?:country|city|state|town|place|river|island|nation|area|region)\b"
            "|哪[里裡裏儿兒]|何[处處地]|[什甚][么麼]地方|哪一?[个個座]?(?:城市|国家|國家|地方|地[区區]|[国國省市州县縣区區])|位[于於]",
            re.IGNORECASE,
        ),
    ),
    # 被称为什么 asks for a name and only looks like 为什么.
    (
        AnswerKind.REASON,
        re.compile(
            r"\bwhy\b|\bwhat (?:caused|reason)\b|(?<![称稱名作做认認判视視定译譯叫改转轉变變成分列评評选選立设設当當封誉譽])"
            "[为為](?:[什甚][么麼]|何)(?![名？?]|$)|原因|何以|因何|怎[么麼][会會]",
            re.IGNORECASE,
        ),
    ),
)

_DATE_WORDS = frozenset(
    stem(word)
    for word in (
        "january february march april may june july august september october november december "
        "monday tuesday wednesday thursday friday saturday sunday spring summer autumn winter century decade"
    ).split()
)
_TIME = re.compile(
    r"\b(?:seconds?|minutes?|hours?|hourly|days?|daily|weeks?|weekly|months?|monthly|quarter(?:ly|s)?|years?|yearly|annual(?:ly)?|once"
    r"|twice|immediately|always|never)\b|[秒分时時天日周年月季旬]|立即|[当當][场場]|永久|星期",
    re.IGNORECASE,
)
_MONEY = re.compile(
    r"[€$£¥￥元%％]|\b(?:eur|usd|gbp|chf|nok|sek|cny|rmb|euros?|dollars?|pounds?|cents?|per ?cent|free)\b|百分之|免[费費]",
    re.IGNORECASE,
)
_CONTACT = re.compile(r"\d{3}|@|www\.")
_CHINESE_ORGANISATION = re.compile(
    "公司|[厂廠商行院所社局部]|[机機][构構]|中心|集[团團]|大[学學]|[实實][验驗]室|[协協][会會]|[A-Za-z]{2,}"
)
_YEAR = re.compile(r"1\d\d\d|20\d\d")
_CHINESE_DATE = re.compile("[年月日时時号號点點]|世[纪紀]")
_CHINESE_NAME = re.compile("[·•‧]|先生|女士|教授|博士|[导導]演|作者|[总總][统統]|皇帝|王|氏|[经經]理|主[任管]|部[门門]?|公司")
_CHINESE_PLACE = re.compile("[省市县縣区區州国國岛島镇鎮乡鄉村山河湖港路街洲湾灣城楼樓室厅廳库庫]")
_REASON = re.compile(
    r"\b(?:because|due to|since|in order to|so that|caused?|reason|therefore|as a result|to avoid|led to)\b"
    "|因|由于|由於|所以|为了|為了|[导導]致|故",
    re.IGNORECASE,
)

_WRITTEN = {AnswerKind.TIMING: _TIME, AnswerKind.MONEY: _MONEY, AnswerKind.CONTACT: _CONTACT, AnswerKind.REASON: _REASON}
_CHINESE = {AnswerKind.ORGANISATION: _CHINESE_ORGANISATION, AnswerKind.NAME: _CHINESE_NAME, AnswerKind.PLACE: _CHINESE_PLACE}


def answer_kind(question: str) -> AnswerKind:
    """The kind of answer that the question asks for."""
    return next((kind for kind, asks in _ASKS if asks.search(question)), AnswerKind.OTHER)


def holds_candidate(kind: AnswerKind, text: str, units: Sequence[Unit], *, asked: Collection[str], han: bool) -> bool:
    """Whether the text, with its units, holds something of the kind that is not among the terms `asked`; True for `OTHER`.

    `han` says that the text is Chinese, where names and places have no capital letter to be known by.
    """
    if kind is AnswerKind.NUMBER:
        return any(unit.kind in (Kind.NUMBER, Kind.CODE) and unit.term not in asked for unit in units)
    if kind is AnswerKind.DATE:
        return any(_is_date(unit, text) for unit in units if unit.term not in asked)
    if kind in _WRITTEN:
        return _WRITTEN[kind].search(text) is not None
    if kind in _CHINESE:
        if any(unit.name and unit.start > 0 and unit.term not in asked for unit in units):
            return True
        return han and _CHINESE[kind].search(text) is not None
    return True


def _is_date(unit: Unit, text: str) -> bool:
    if unit.kind is Kind.NUMBER:
        return (
            _YEAR.fullmatch(unit.term) is not None
            or _CHINESE_DATE.match(text, unit.end) is not None
            or ":" in text[unit.end : unit.end + 1]
        )
    return unit.kind is Kind.WORD and unit.term in _DATE_WORDS
