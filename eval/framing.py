"""Words that frame an answer and say nothing of the documents: "based on the given passages", "in summary", 综上所述.

They are read as small words are. Else an answer that says where it has its content from would look less supported than one that
does not: `based`, `provided` and `passages` rarely stand in the passages themselves (docs/decisions/0019).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from eval.units import Unit, read_units

_FRAME = (
    "based provided given passage passages context document documents according mentioned mention state stated states "
    "information text source sources answer question unable include includes including following follow however "
    "therefore additionally overall various several also another while may some many more most other here example "
    "instance such way ways thus hence moreover furthermore summary conclusion conclude infer inferred specified "
    "specify detail details specific specifically provide provides refer refers explicitly 根据 提供 资料 文档 段落 "
    "上述 以下 因此 总之 此外 另外 然而 但是 所以 同时 例如 比如 包括 以及 文中 提到 信息 问题 答案 综上 所述 首先 "
    "其次 最后"
)


def without_frame(units: Iterable[Unit]) -> list[Unit]:
    """The units, those that only frame an answer marked as no content."""
    frame = _frame_terms()
    return [replace(unit, content=False) if unit.content and unit.term in frame else unit for unit in units]


@lru_cache(maxsize=1)
def _frame_terms() -> frozenset[str]:
    return frozenset(unit.term for word in _FRAME.split() for unit in read_units(word))
