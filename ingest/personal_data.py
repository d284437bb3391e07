"""Personal data that has a form: where in a text it stands, and the text with it masked. Names and addresses have none.

Invariants. Precision comes first: what has a check digit must pass it; what has none needs an unmistakable form or a word beside
it that says what it is; nothing is found inside a longer number or word. A masked text is as long as the text, so that every
place in one is the same place in the other. This module reports and masks a copy; what is done with either is for others to say.

Sources of the rules: GB 11643-1999 (identity number), ISO/IEC 7812 (card, Luhn), ISO 13616 (IBAN), NANP, ssa.gov (number ranges
never issued), gov.uk NIM39110 (National Insurance prefixes), the numbering plan of the MIIT (Chinese mobile prefixes).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from ingest.text_cleaning import clean


class PersonalData(StrEnum):
    """What kinds are found."""

    CHINESE_ID = "chinese_id"
    BANK_CARD = "bank_card"
    IBAN = "iban"
    US_SSN = "us_ssn"
    UK_NINO = "uk_nino"
    EMAIL = "email"
    PHONE = "phone"


EVERY_KIND = frozenset(PersonalData)
MASK = "█"
"""No sign that documents use for anything else: what holds it was masked."""
_SHOWN = 4
"""Characters that stay readable at the end, so that a person who knows the number knows it again."""

# How far before a number the word may stand that says what it is.
_NEAR = 32
_ANOTHER_NUMBER = re.compile(r"\d{5}.*[^\W\d_]", re.DOTALL)
_WIDE = str.maketrans({chr(0xFF01 + i): chr(0x21 + i) for i in range(94)} | {"　": " ", "－": "-", "‐": "-", "‑": "-", "–": "-"})


@dataclass(frozen=True, slots=True)
class Finding:
    """Where something stands in the text."""

    kind: PersonalData
    start: int
    end: int


def find_personal_data(text: str, kinds: Collection[PersonalData] = EVERY_KIND) -> list[Finding]:
    """What is found of these kinds, in order; none inside another."""
    cleaned = clean(text)
    folded = cleaned.text.translate(_WIDE)
    if not _MAY_HOLD.search(folded):
        return []
    taken: list[Finding] = []
    for kind, finder in _FINDERS:  # the surest first: an identity number may look like a card, a card's end like a telephone
        for start, end in finder(folded):
            if _is_alone(folded, start, end) and not any(start < one.end and one.start < end for one in taken):
                taken.append(Finding(kind, start, end))
    found = sorted((one for one in taken if one.kind in kinds), key=lambda one: one.start)
    return [Finding(one.kind, *cleaned.original_span(one.start, one.end)) for one in found]


def masked(text: str, kinds: Collection[PersonalData] = EVERY_KIND) -> str:
    """The text, as long as before, with all but the end of what is found of these kinds replaced by `MASK`."""
    while True:  # what is left of one number and what stands beside it could pass for another
        before = text
        for one in find_personal_data(text, kinds) if kinds else []:
            text = text[: one.start] + hidden(one.kind, text[one.start : one.end]) + text[one.end :]
        if text == before:
            return text


def hidden(kind: PersonalData, value: str) -> str:
    """The value, as long as before: an address keeps its first letter and its domain, a number its end and its gaps."""
    if kind is PersonalData.EMAIL and (at := re.search("[@＠]", value)):
        kept = min(1, at.start() - 1)
        return value[:kept] + MASK * (at.start() - kept) + value[at.start() :]
    first = "".join(MASK if character.isalnum() else character for character in value[:-_SHOWN])
    return first + value[-_SHOWN:]


def _is_alone(text: str, start: int, end: int) -> bool:
    """Whether the span is no part of a longer number, word or address."""
    before, after = text[start - 1 : start], text[end : end + 1]
    if (before.isascii() and before.isalnum()) or (after.isascii() and after.isalnum()) or "_" in (before, after):
        return False
    if before in (".", "-", "+", "@") and text[start - 2 : start - 1].isdigit():
        return False
    return not (after in (".", "-", "@") and text[end + 1 : end + 2].isdigit())


def _follows(text: str, start: int, words: re.Pattern[str]) -> bool:
    """Whether one of the words stands shortly before, and no other number with a name of its own between."""
    before = text[max(0, start - _NEAR) : start]
    ends = [found.end() for found in words.finditer(before)]
    return bool(ends) and _ANOTHER_NUMBER.search(before, ends[-1]) is None


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdigit())


# Every kind holds an @ or five digits, perhaps in groups.
_MAY_HOLD = re.compile(r"@|\d(?:[ .()-]{0,2}[\dA-Z]){4}")


# Chinese identity number

_CHINESE_ID = re.compile(r"[1-8]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]")
_PROVINCES = frozenset(
    "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83".split()
)
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def _chinese_ids(text: str) -> Iterator[tuple[int, int]]:
    for found in _CHINESE_ID.finditer(text):
        number = found.group().upper()
        total = sum(weight * int(digit) for weight, digit in zip(_ID_WEIGHTS, number, strict=False))
        if number[:2] in _PROVINCES and "10X98765432"[total % 11] == number[17] and _is_date(number[6:14]):
            yield found.span()


def _is_date(written: str) -> bool:
    try:
        date(int(written[:4]), int(written[4:6]), int(written[6:]))
    except ValueError:
        return False
    return True


# Bank cards

_CARD = re.compile(r"(?<!\d)(?:\d{4}([ -])\d{4}\1\d{4}\1\d{1,4}(?:\1\d{1,3})?|\d{4}([ -])\d{6}\2\d{5}|\d{13,19})(?!\d)")
_CARD_WORDS = re.compile(
    r"卡号|银行卡|信用卡|借记卡|储蓄卡|账号|帐号|账户|帐户|银联"
    r"|\b(?:cards?|account|acct|visa|master\s?card|amex|american express|unionpay|debit|credit|PAN)\b",
    re.IGNORECASE,
)
# Issuers' first digits and the lengths that they use.
_ISSUERS = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|35\d{14,17}|6(?:011|4[4-9]\d|5\d\d)\d{12,15}"
    r"|62\d{14,17}"
)


def _cards(text: str) -> Iterator[tuple[int, int]]:
    for found in _CARD.finditer(text):
        number = _digits(found.group())
        # Written without gaps, one number in ten passes Luhn by chance: so it needs the word, or the prefix of UnionPay.
        sure = len(number) < len(found.group()) or number.startswith("62") or _follows(text, found.start(), _CARD_WORDS)
        if sure and _ISSUERS.fullmatch(number) and _passes_luhn(number):
            yield found.span()


def _passes_luhn(number: str) -> bool:
    doubled = (int(digit) * 2 for digit in number[-2::-2])
    return len(set(number)) > 1 and (sum(map(int, number[-1::-2])) + sum(d - 9 if d > 9 else d for d in doubled)) % 10 == 0


# IBAN

_IBAN_START = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?= ?[A-Z0-9]{4})")
# Source: SWIFT IBAN registry, release 99.
_IBAN_LENGTHS = {
    code: length
    for length, codes in {
        15: "NO", 16: "BE", 18: "DK FO FI GL NL SD FK", 19: "MK SI", 20: "AT BA EE KZ LT LU XK MN", 21: "HR LV LI CH",
        22: "BH BG CR DE GB GE IE ME RS VA", 23: "IL AE IQ TL SO OM", 24: "AD CZ MD PK RO SA SK ES SE TN VG DZ",
        25: "PT ST LY", 26: "IS TR", 27: "FR GR IT MC MR SM BI DJ", 28: "AL AZ BY CY DO GT HU LB PL SV NI", 29: "BR PS QA UA EG",
        30: "JO KW MU YE", 31: "MT SC", 32: "LC", 33: "RU",
    }.items()
    for code in codes.split()
}  # fmt: skip


def _ibans(text: str) -> Iterator[tuple[int, int]]:
    for found in _IBAN_START.finditer(text):
        length = _IBAN_LENGTHS.get(found.group()[:2], 0)
        end, written = found.start(), ""
        while len(written) < length and end < len(text):
            character = text[end]
            if character.isascii() and (character.isdigit() or character.isupper()):
                written += character
            elif character != " " or len(written) % 4:
                break
            end += 1
        if length and len(written) == length and int("".join(str(int(c, 36)) for c in written[4:] + written[:4])) % 97 == 1:
            yield found.start(), end


# United States and United Kingdom

_SSN = re.compile(r"(?<!\d)(?!000|666|9)\d{3}([- ]?)(?!00)\d{2}\1(?!0000)\d{4}(?!\d)")
_SSN_WORDS = re.compile(r"\bSSN\b|\bsocial\s+security\b|社会安全|社安号", re.IGNORECASE)
_NINO = re.compile(r"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]( ?)\d{2}( ?)\d{2}\2\d{2}\1[A-D]")
_NINO_WORDS = re.compile(r"\bNINO\b|\bNI\s+(?:no|number)\b|\bnational\s+insurance\b|国民保险", re.IGNORECASE)


def _ssns(text: str) -> Iterator[tuple[int, int]]:
    for found in _SSN.finditer(text):
        if found[1] == "-" or _follows(text, found.start(), _SSN_WORDS):
            yield found.span()


def _ninos(text: str) -> Iterator[tuple[int, int]]:
    for found in _NINO.finditer(text):
        if found[2] or _follows(text, found.start(), _NINO_WORDS):
            yield found.span()


# Addresses of e-mail

# Bounded, and beginning only where a word does: the search stays linear.
_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9_][A-Za-z0-9._%+'-]{0,63}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}([A-Za-z]{2,24})"
)
_FILE_ENDINGS = frozenset("png jpg jpeg gif svg webp css js pdf".split())  # image@2x.png


def _emails(text: str) -> Iterator[tuple[int, int]]:
    for found in _EMAIL.finditer(text):
        if found[1].lower() not in _FILE_ENDINGS and ".." not in found.group():
            yield found.span()


# Telephones

_PHONE_WORDS = re.compile(
    r"电话|手机|手提|联系方式|联系人|传真|热线|座机|致电|拨打|\b(?:tele)?phone\b|\btel\b|\bmobile\b|\bcell(?:ular)?\b|\bfax\b|\bcall\b|\bdial\b|☎|📞",
    re.IGNORECASE,
)
# What stands before a number that is none: money, and names of other numbers.
_OTHER_NUMBER = re.compile(
    r"(?:[¥￥$€£#]|编号|单号|号码牌|订单号?|流水号?|合同号?|发票号?码?|序列号|代码|证号"
    r"|\b(?:no|number|id|code|order|serial|invoice|ref|reference|sku|isbn)\b\.?)\s*[:：#]?\s*$",
    re.IGNORECASE,
)
_AMOUNT_AFTER = re.compile(r"\s*(?:[%‰元股万亿份吨件个台]|yuan\b|RMB\b|CNY\b|USD\b)", re.IGNORECASE)
# Prefixes that are assigned; 11 digits that begin otherwise are something else.
_MOBILE = r"1(?:3\d|4[5-9]|5[0-35-9]|6[2567]|7[0-8]|8\d|9[0-35-9])"
_CHINESE_MOBILE = re.compile(rf"(?<!\d)(\+?86[ -]?|0086[ -]?)?{_MOBILE}([ -]?)\d{{4}}\2\d{{4}}(?!\d)")
_FORMED = tuple(
    re.compile(pattern)
    for pattern in (
        # China: area code and number, perhaps an extension
        r"(?<!\d)(?:\+?86[ -])?(?:\((?:010|02\d|0[3-9]\d{2})\) ?|(?:0?10|0?2\d|0[3-9]\d{2})-)[2-8]\d{6,7}(?:-\d{1,6})?(?!\d)",
        # North America
        r"(?<!\d)(?:\+?1[-. ])?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}([-.]))[2-9]\d{2}[-.]\d{4}(?!\d)",
        r"\+1 ?\(?[2-9]\d{2}\)? ?[2-9]\d{2} ?\d{4}(?!\d)",
        # United Kingdom
        r"(?<!\d)(?:\+44 ?(?:\(0\) ?)?|0)(?:20 ?\d{4} ?\d{4}|7\d{3} ?\d{3} ?\d{3}|1\d{3} ?\d{3} ?\d{3}|1\d1 \d{3} \d{4})(?!\d)",
        # anywhere, in the international form
        r"\+[2-9]\d{0,2}(?:[ -]?\(\d{1,4}\))?(?:[ -]?\d{1,5}){2,5}(?!\d)",
    )
)
# Groups that are unmistakable only after a word for a telephone.
_AFTER_WORD = re.compile(r"(?<!\d)(?:\(?\d{3,4}\)?[ .-]?\d{3,4}[ .-]?\d{3,4}|\d{4}[ -]?\d{4})(?!\d)")


def _phones(text: str) -> Iterator[tuple[int, int]]:
    for found in _CHINESE_MOBILE.finditer(text):
        bare = not found[1] and not found[2]
        named = _follows(text, found.start(), _PHONE_WORDS)
        if named or not bare or not (_is_other_number(text, found.start(), found.end()) or found.group().endswith("0000")):
            yield found.span()
    for pattern in _FORMED:
        for found in pattern.finditer(text):
            named = _follows(text, found.start(), _PHONE_WORDS)
            has_gaps = not found.group().lstrip("+").isdigit()
            if 9 <= len(_digits(found.group())) <= 19 and (named or has_gaps or found.group()[0] == "+"):
                yield found.span()
    for found in _AFTER_WORD.finditer(text):
        number = _digits(found.group())
        if _follows(text, found.start(), _PHONE_WORDS) and not (len(number) == 8 and number[0] in "12" and _is_date(number)):
            yield found.span()


def _is_other_number(text: str, start: int, end: int) -> bool:
    before = text[max(0, start - _NEAR) : start]
    return _OTHER_NUMBER.search(before) is not None or _AMOUNT_AFTER.match(text, end) is not None


_FINDERS: tuple[tuple[PersonalData, Callable[[str], Iterator[tuple[int, int]]]], ...] = (
    (PersonalData.EMAIL, _emails),
    (PersonalData.CHINESE_ID, _chinese_ids),
    (PersonalData.IBAN, _ibans),
    (PersonalData.BANK_CARD, _cards),
    (PersonalData.US_SSN, _ssns),
    (PersonalData.UK_NINO, _ninos),
    (PersonalData.PHONE, _phones),
)
