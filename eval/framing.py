"""Words that frame an answer and say nothing of the documents: "based on the given passages", "in summary", 综上所述.

They are read as small words are. Else an answer that says where it has its content from would look less supported than one that
does not: `based`, `provided` and `passages` rarely stand in the passages themselves (docs/decisions/0019).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from eval.units import Unit, read_units
from ingest.tokens import simplified

_FRAME = (
    "based provided given passage passages context document documents according mentioned mention state stated states "
    "information text source sources answer question unable include includes including following follow however "
    "therefore additionally overall various several also another while may some many more most other here example "
    "instance such way ways thus hence moreover furthermore summary conclusion conclude infer inferred specified "
    "specify detail details specific specifically provide provides refer refers explicitly 根据 提供 资料 文档 段落 "
    "上述 以下 因此 总之 此外 另外 然而 但是 所以 同时 例如 比如 包括 以及 文中 提到 信息 问题 答案 综上 所述 首先 "
    "其次 最后"
)


# An opening that names where the answer has its content from, not what that says.
_OPENING = re.compile(
    r"^\s*(?:according to [^,.;:]{0,40}(?:§|\b(?:section|article|clause|chapter|part|item|table)\b)[^,;:.]{0,40}"
    r"(?:\.\d[\w.]*)?,\s+"
    r"|(?:under|following|per|pursuant to|in|as (?:recorded|set out|laid down) (?:in|under|by)) (?:the )?"
    r"(?:§|(?:section|article|clause|chapter|part|item|paragraph|table)) ?[\dA-Z][\w.]{0,6},\s+"
    r"|(?:according to|as (?:stated|shown|listed|described) in|as per|in) (?:the )?(?:[\w-]+ ){0,2}"
    r"(?:table|section|article|clause|chapter|manual|minutes|policy|document|list|guide|handbook"
    r"|contract|report)\b(?: [\dA-Z][\d.]*)?,?\s+"
    r"(?:it (?:says|states) that )?"
    r"|(?:section|article|clause|chapter|part|item|paragraph|appendix|annex|§) ?\d[\d.]* (?=[a-z]+s\b)"
    r"|(?:the )?(?:[\w-]+ )?(?:table|section \S+|manual|minutes|policy|document|list|guide|handbook|contract|report) "
    r"(?:says?|states?|shows?|explains?|notes?)(?: that)?,?\s+"
    r"|(?:根据|按照|依据|依照|据|按)(?:《[^》]{1,30}》|[^，。,]{0,12}?(?:表|条|节|章|款|手册|文件|规定|制度|方案|说明书|纪要|附件)"
    r"[\d一二三四五六七八九十.]{0,4})(?:的?(?:规定|说明|要求|记载))?[，,:：]?\s*"
    r"|[^，。,]{0,6}?(?:第[\d.一二三四五六七八九十百]{1,5}|\d+(?:\.\d+)+)[条章节款项](?:里)?"
    r"(?:规定|要求|指出|说明|提到|提出|写明|写着|说得清楚|讲得清楚|说|讲)[，,:：]?\s*"
    r"|第[\d一二三四五六七八九十百]{1,4}[条章节款](?:规定|要求|指出|说明)[，,:：]?\s*"
    r"|(?:手册|文件|规定|制度|方案|说明书|纪要)(?:中|里)?(?:规定|写明|指出|提到|说明)[，,:：]?\s*)",
    re.IGNORECASE,
)

_SOURCE = r"(?:passages?|documents?|texts?|contexts?|sources?|excerpts?|(?:provided|given|available) (?:information|material)s?)"
# `The passages do not mention a fee`, and nothing else: what follows a `but` would have to be judged.
_ABSENCE = re.compile(
    rf"\b{_SOURCE}\b[^,;.]{{0,30}}\b(?:(?:do|does|did) not|(?:do|does|did)n['’]t) (?:\w+ly )?"
    r"(?:mention|provide|contain|specify|say|state|include|give|address|discuss|cover|indicate|explain|tell|answer)\b"
    r"|\b(?:is|are|was|were) not (?:\w+ly )?"
    r"(?:mentioned|provided|specified|stated|given|included|discussed|addressed|covered|found)"
    rf" (?:in|by) (?:the |any of the |these |this )?(?:\w+ )?{_SOURCE}\b"
    r"|\bno (?:specific |further )?(?:information|mention|details?)\b[^,;.]{1,80}"
    rf"\bin (?:the |these |this )?(?:\w+ )?{_SOURCE}\b"
    "|(?:资料|文档|文件|材料|文中|原文|文章|段落|上下文|片段|内容)[^，。；,;]{0,8}(?:没有|并未|未|没)[^，。；,;]{0,6}"
    "(?:提到|提及|说明|提供|包含|给出|涉及|记载|写明|介绍|指出)",
    re.IGNORECASE,
)
_MORE = re.compile(
    r"\b(?:but|though|although|while|whereas|except|other than|only|so)\b|[,;] (?:however|therefore|hence)\b"
    "|[，；,;]\\s*(?:但|不过|只|而|故)|但是|只是|所以|因此",
    re.IGNORECASE,
)


def says_absence(sentence: str) -> bool:
    """Whether all that the sentence says is that the documents do not tell something."""
    written = simplified(sentence)
    return _ABSENCE.search(written) is not None and _MORE.search(written) is None


def opening_length(text: str) -> int:
    """How many characters of the text only say where its content stands (`According to Table 1, `); 0 where something follows
    without which the text would be empty."""
    found = _OPENING.match(text)
    return found.end() if found and text[found.end() :].strip() else 0


def without_frame(units: Iterable[Unit]) -> list[Unit]:
    """The units, those that only frame an answer marked as no content."""
    frame = _frame_terms()
    return [unit._replace(content=False) if unit.content and unit.term in frame else unit for unit in units]


def content_units(units: Iterable[Unit]) -> list[Unit]:
    """The units that are content and do not only frame an answer."""
    frame = _frame_terms()
    return [unit for unit in units if unit.content and unit.term not in frame]


@lru_cache(maxsize=1)
def _frame_terms() -> frozenset[str]:
    return frozenset(unit.term for word in _FRAME.split() for unit in read_units(word))
