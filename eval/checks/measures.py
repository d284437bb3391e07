"""Names of units → what they measure and how many base units one is; only conversions that are exact.

Months do not convert to days, nor bytes to each other (1,000 or 1,024), nor one currency to another. Names are lower-case
NFKC, as `eval.checks.quantities` reads them, so that `m³` is `m3` and `℃` is `°c`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Measure:
    """What a unit measures, and its size in the base unit of that."""

    dimension: str
    size: Fraction = Fraction(1)


# dimension: size of a unit → its names. English plurals with a bare s are added below.
_TABLE: dict[str, dict[str, str]] = {
    "mass": {
        "1/1000": "mg milligram 毫克",
        "1": "g gram 克",
        "500": "斤 市斤",
        "1000": "kg kilogram kilo 千克 公斤",
        "1000000": "tonne 吨 噸",
    },
    "length": {
        "1/1000": "µm μm micrometre micrometer 微米",
        "1": "mm millimetre millimeter 毫米",
        "10": "cm centimetre centimeter 厘米 公分",
        "1000": "m metre meter 米 公尺",
        "1000000": "km kilometre kilometer 千米 公里",
    },
    "inch": {"1": "inch inches 英寸 吋"},
    "foot": {"1": "ft foot feet 英尺"},
    "mile": {"1": "mile 英里"},
    "area": {"1": "m2 ㎡ 平方米 平方公尺", "10000": "hectare 公顷 公頃", "1000000": "km2 平方公里 平方千米"},
    "volume": {"1": "ml millilitre milliliter 毫升", "1000": "l litre liter 升 公升", "1000000": "m3 立方米 立方公尺"},
    "flow": {"1": "l/h", "60": "l/min", "1000": "m3/h", "3600": "l/s"},
    "speed": {"1": "m/s", "5/18": "km/h"},
    "time": {
        "1/1000": "ms millisecond 毫秒",
        "1": "s sec second 秒",
        "60": "min minute 分钟 分鐘",
        "3600": "h hr hour 小时 小時 个小时 個小時 钟头",
        "86400": "day 天",
        "604800": "week 周 个星期 個星期 星期",
    },
    # Whether "30 days" means working days is often left to the context, so that these are compared, but never opposed.
    "working day": {"1": "working¤day business¤day 工作日 个工作日 個工作日"},
    "calendar day": {"1": "calendar¤day 自然日 个自然日 日历日 个日历日"},
    "month": {"1": "month 个月 個月", "3": "quarter 季度 个季度", "12": "year 年"},
    "pressure": {"1": "pa 帕", "1000": "kpa 千帕", "100000": "bar 巴", "1000000": "mpa 兆帕"},
    "power": {"1": "w watt 瓦", "1000": "kw kilowatt 千瓦", "1000000": "mw megawatt 兆瓦"},
    "energy": {"1": "kwh 千瓦时 度电", "1000": "mwh"},
    "voltage": {"1": "v volt 伏", "1000": "kv 千伏"},
    "current": {"1/1000": "ma 毫安", "1": "amp ampere 安培"},
    "frequency": {"1": "hz 赫兹", "1000": "khz 千赫"},
    "rotation": {"1": "rpm r/min min-1 revolutions¤per¤minute 转/分 转每分"},
    "torque": {"1": "nm n·m newton¤metre 牛米 牛·米"},
    "loudness": {"1": "db db(a) decibel 分贝"},
    "celsius": {"1": "°c ℃ degrees¤celsius 摄氏度 度"},
    "fahrenheit": {"1": "°f degrees¤fahrenheit 华氏度"},
    "percent": {"1": "% 百分之 percent per¤cent 个百分点 percentage¤point", "1/10": "‰ 千分之"},
    "clock": {"1": "o'clock"},
    "kilobyte": {"1": "kb kilobyte 千字节"},
    "megabyte": {"1": "mb megabyte 兆字节"},
    "gigabyte": {"1": "gb gigabyte 吉字节"},
    "terabyte": {"1": "tb terabyte 太字节"},
    "euro": {"1": "€ eur euro 欧元 歐元"},
    "dollar": {"1": "$ us$ usd dollar us¤dollar 美元 美金"},
    "pound": {"1": "£ gbp 英镑 英鎊"},
    "yuan": {"1": "元 人民币 块钱 rmb cny yuan 元人民币"},
    "yen": {"1": "¥ jpy yen 日元 日圆"},
    "norwegian krone": {"1": "nok norwegian¤krone norwegian¤kroner 挪威克朗"},
    "swedish krona": {"1": "sek swedish¤krona swedish¤kronor 瑞典克朗"},
    "franc": {"1": "chf swiss¤franc 瑞士法郎"},
}

# Too short or too common as words to be more than a hint: `3 s`, `20 度`, the mark that China and Japan share. They are read,
# but a difference in one of them alone proves nothing.
_VAGUE = frozenset({"s", "v", "w", "h", "l", "g", "m", "度", "¥", "second", "quarter", "foot", "米", "克", "升", "斤"})

PREFIXES = ("us$", "usd", "eur", "gbp", "rmb", "cny", "jpy", "nok", "sek", "chf", "$", "€", "£", "¥", "人民币", "百分之")
"""What may stand before a number instead of after it."""

SCALES: dict[str, int] = {
    "hundred": 10**2,
    "thousand": 10**3,
    "million": 10**6,
    "mn": 10**6,
    "billion": 10**9,
    "bn": 10**9,
    "trillion": 10**12,
    "百": 10**2,
    "千": 10**3,
    "万": 10**4,
    "萬": 10**4,
    "十万": 10**5,
    "百万": 10**6,
    "百萬": 10**6,
    "千万": 10**7,
    "千萬": 10**7,
    "亿": 10**8,
    "億": 10**8,
    "万亿": 10**12,
    "萬億": 10**12,
    "兆": 10**12,
}


def _measures() -> dict[str, Measure]:
    found: dict[str, Measure] = {}
    for dimension, sizes in _TABLE.items():
        for size, names in sizes.items():
            for name in names.replace("¤", "\0").split():
                measure = Measure(dimension, Fraction(size))
                plain = name.replace("\0", " ")
                found[plain] = measure
                if plain.isascii() and plain[-1].isalpha() and len(plain) >= 3 and not plain.endswith("s"):
                    found[f"{plain}s"] = measure
    return found


MEASURES = _measures()
"""Every name of a unit → its measure."""


def is_vague(name: str) -> bool:
    """Whether the name is too short to prove a difference."""
    return name in _VAGUE


def _alternatives(names: object) -> str:
    parts = []
    for name in sorted(names, key=len, reverse=True):  # type: ignore[call-overload]
        parts.append(re.escape(name) + (r"(?![a-z0-9])" if name[-1].isascii() and name[-1].isalnum() else ""))
    return "|".join(parts)


SCALE = re.compile(rf"\s?({_alternatives(SCALES)})")
UNIT = re.compile(rf"[\s-]?({_alternatives(MEASURES)})")
PREFIX = re.compile(rf"({'|'.join(re.escape(name) for name in PREFIXES)})\s?$")
