"""Chinese sentences → points: the value becomes a question word where it stands, the rest keeps its own words.

Chinese asks in place, so that a clause with its subject is a question once its value is exchanged. A clause that goes on
from the one before it is asked together with that one, unless that one holds a value of its own and cannot be left standing.
"""

from __future__ import annotations

import re

from finetune.points import LONGEST_ANSWER, Asked, Point
from ingest.tokens import HAN

_DIGITS = "零一二三四五六七八九十百千两半"
_NUMBER = rf"(?:-?\d[\d,]*(?:\.\d+)?|[{_DIGITS}]+)"
_DATE = r"(?:(?:\d{4}年|次年|每年)?\d{1,2}月(?:\d{1,2}日|底)|\d{4}年(?:\d{1,2}月)?|每月\d{1,2}日|\d{1,2}月)"
_CLOCK = rf"(?:上午|下午|晚上|凌晨|夜里|傍晚)?(?:\d{{1,2}}|[{_DIGITS}]+)[点时](?:半|\d{{1,2}}分)?"
_SHARE = rf"\d+(?:\.\d+)?%|[{_DIGITS}]+分之[{_DIGITS}]+|[一二三四五六七八九]成[一二三四五六七八九半]?|{_NUMBER}个百分点"
_ALONE = r"(?<![第每\d.A-Za-z-])"
_UNIT = "平方米|立方米|公里|公斤|厘米|毫米|微米|毫安|牛米|万次|兆|℃|度|倍|米|克|千瓦|瓦|伏|bar|MPa|分贝|亩|分|岁|升|吨"
_MEASURE = "工作日|名|人|件|台|次|位|条|套|册|处|种|道|组|根|张|个|家|项|本|圈|份|辆|只|字符|炉|瓶|股"
_SPAN = "个工作日|工作日|个半月|个多月|个月|周|天|个小时|小时|分钟|秒|年半|年|晚|届"

# The order is that of trust: what an earlier pattern has taken no later one takes. The text is what is asked instead.
_VALUES: list[tuple[Asked, re.Pattern[str], tuple[str, ...]]] = [
    (Asked.AMOUNT, re.compile(rf"{_NUMBER}万?元"), ("多少元", "多少钱")),
    (Asked.SHARE, re.compile(_SHARE), ("多少", "多大比例")),
    (Asked.DATE, re.compile(_DATE), ("什么时候", "哪一天")),
    (Asked.TIME, re.compile(rf"(?<![\d-]){_CLOCK}(?:[至到]{_CLOCK})?"), ("几点", "什么时间")),
    (Asked.DURATION, re.compile(rf"(?<![第每\d.]){_NUMBER}(?P<unit>{_SPAN})(?![度份终代级会])"), ("多少{unit}", "多长时间")),
    (Asked.NUMBER, re.compile(rf"{_ALONE}(?:{_NUMBER}(?:{_UNIT})?[至到])?{_NUMBER}万?(?P<unit>{_UNIT})"), ("多少{unit}",)),
    (Asked.NUMBER, re.compile(rf"{_ALONE}{_NUMBER}万?(?P<unit>{_MEASURE})"), ("多少{unit}", "几{unit}")),
]  # fmt: skip
_BY_WHOM = re.compile(
    rf"由([{HAN}A-Za-z·]{{2,14}}?)(?=负责|承担|承保|批准|审批|处理|签字|解释|主持|指定|确定|担任|任组长|统一|制定|登记|评选|打扫|提出|报告|代为|供应|下发|承接)"
)
_LABELLED = re.compile(r"^(?P<label>主持|主持人|缺席|记录|地点|主任|负责人|联系人)：(?P<value>[^，。；：、]{2,16})$")
_PLACE = re.compile(
    rf"(?<=[{HAN}])(?:设在|位于|存放在|选在|存放于|在)(?P<place>[{HAN}\d]{{2,12}}(?:室|楼|层|厅|馆|亭|号|厂|机房|大厅|侧|门|场|镇|市|院|区))(?=$|[，。；])"
)
_NAMED = re.compile(
    rf"(?P<head>[{HAN}]{{2,12}}?(?<![作因最代认成以行较极更分视即多都就只但还不]))(?:为|是|叫|名为)(?!否|什)(?P<name>[{HAN}A-Za-z0-9·]{{2,12}})$"
)
_USES = re.compile(rf"^(?P<head>[{HAN}\w]{{2,12}}?)(?:材料为|应选用|选用|采用|使用)(?P<name>[{HAN}A-Za-z0-9]{{3,14}})$")
_DEFINITION = re.compile(rf"^(?P<term>[{HAN}]{{2,8}}?(?<![多都就只但还不]))是指?(?!否)(?P<rest>[{HAN}\w、]{{6,60}}(?<!的))$")
_SEPARATORS = re.compile(r"[，；。：]")
_LIST_MARK = re.compile(r"^(?:\d+[.、]\s*|第[一二三四五六七八九十]+条\s*|[•●▪]\s*)")
# What begins so leans on something said before.
_LEANS = re.compile(r"^(?:他|她|它|其|该|此|这|那|期间|否则|但|而|并|且|因此|为此|以便|同时|也|均|都|最近|目前|再|又)")
_CONDITION = re.compile(r"(?:的|时|后|以后|之后|前|之前|以上|以内|以下|期间|之内)$|^(?:如|若|因|除)")
# A clause that begins so has no subject of its own.
_GOES_ON = re.compile(
    r"^(?:最|至|不|须|应|可|每|约|按|共|另|并|且|但|也|再|又|达|低于|高于|超过|需|要|已|将|会|能|以|从|由|在|到|给|为|是|占|有|比|直到|定于|预计|必须|一律|分|前|后|无|保|一份|空闲|同比|原因|全部|仍|累计|其中|其余)"
)
# With fewer Chinese characters and codes than this a question does not say what it is about.
_CHARACTERS_THAT_SUFFICE = 10
_LONGEST_QUESTION = 56


def points(sentence: str, *, topic: str) -> list[Point]:
    """The points of one sentence. What a clause leans on is its own sentence or the heading."""
    plain = _LIST_MARK.sub(
        "", "".join(sentence.split()) if not re.search(r"[A-Za-z] [A-Za-z]", sentence) else " ".join(sentence.split())
    )
    clauses = [clause for clause in _SEPARATORS.split(plain.rstrip("。；！")) if clause]
    out = _labelled(plain, sentence, topic)
    for number, clause in enumerate(_with_conditions(clauses)):
        if not clause:
            continue
        context = _context(clauses, number) if clause == clauses[number] else ""
        out.extend(_in_place(clause, context, sentence, topic))
        out.extend(_named(clause, context, sentence, topic))
    return out


def _with_conditions(clauses: list[str]) -> list[str]:
    """The clauses, each condition (`超过60℃的`, `投运48小时后`) together with what it is a condition of."""
    out: list[str] = []
    held = ""
    for number, clause in enumerate(clauses):
        if _CONDITION.search(clause) and number + 1 < len(clauses) and len(held) + len(clause) < _LONGEST_QUESTION:
            held += clause + "，"
            out.append("")  # its place is kept, so that numbers stay those of the sentence
            continue
        out.append(held + clause)
        held = ""
    return out


def _context(clauses: list[str], number: int) -> str:
    """What has to stand before the clause for it to be understood, with its comma; empty for one that stands alone."""
    if number == 0 or not _GOES_ON.match(clauses[number]):
        return ""
    context = clauses[number - 1]
    if number > 1 and (_GOES_ON.match(context) or _LEANS.match(context)):
        context = f"{clauses[number - 2]}，{context}"
    return context + "，"


def _in_place(clause: str, context: str, sentence: str, topic: str) -> list[Point]:
    out: list[Point] = []
    taken: list[tuple[int, int]] = []
    for asked, pattern, words in _VALUES:
        for match in pattern.finditer(clause):
            start, end = match.span()
            if any(start < b and a < end for a, b in taken):
                continue
            taken.append((start, end))
            if match.group()[0] == "一" or (match.group().startswith("百分") and asked is Asked.NUMBER):
                continue  # `一次`, `一名`: hardly ever what somebody asks for
            unit = match.groupdict().get("unit") or ""
            unit = "年" if unit == "年半" else "个月" if unit in ("个半月", "个多月") else unit
            front, after = clause[:start], clause[end:]
            if asked is Asked.DATE and match.group().endswith(("年", "月")) and len(match.group()) > 3:
                words = ("什么时候", "哪一年" if match.group().endswith("年") else "哪个月")
            stated = [f"{context}{front}{word.format(unit=unit)}{after}" for word in words]
            value = match.group()
            out.append(_point(_RULES[asked], asked, sentence, clause, value, f"{context}{clause}", stated, topic))
    for match in _BY_WHOM.finditer(clause):
        front, after = clause[: match.start()], clause[match.end() :]
        stated = [f"{context}{front}由谁{after}", f"{context}{front}由哪个人或者哪个部门{after}"]
        out.append(_point("who", Asked.WHO, sentence, clause, match[1], f"{context}{clause}", stated, topic))
    for match in _PLACE.finditer(clause):
        front = clause[: match.start("place")]
        stated = [f"{context}{front}哪里", f"{context}{front}什么地方"]
        out.append(_point("where", Asked.WHERE, sentence, clause, match["place"], f"{context}{clause}", stated, topic))
    return out


def _named(clause: str, context: str, sentence: str, topic: str) -> list[Point]:
    out: list[Point] = []
    if context or any(pattern.search(clause) for _, pattern, _ in _VALUES):
        return out
    match = _DEFINITION.match(clause) or None
    if match and len(match["rest"]) >= 6 and not _LEANS.match(clause):
        stated = [f"{match['term']}是什么", f"什么是{match['term']}"]
        return [_point("definition", Asked.DEFINITION, sentence, clause, match["rest"], clause, stated, topic)]
    for pattern in (_USES, _NAMED):
        match = pattern.search(clause)
        if match:
            verb = clause[match.end("head") : match.start("name")]
            head = clause[: match.end("head")]
            stated = (
                [f"{head}是什么"]
                if verb in ("为", "是")
                else [f"{head}{verb.removesuffix('为')}是什么" if verb == "材料为" else f"{head}{verb}什么"]
            )
            out.append(_point("definition", Asked.TEXT, sentence, clause, match["name"], clause, stated, topic))
            break
    return out


def _labelled(plain: str, sentence: str, topic: str) -> list[Point]:
    match = _LABELLED.match(plain.rstrip("。"))
    if not match or not topic:
        return []
    label, value = match["label"], match["value"]
    word = "在哪里" if label.startswith("地") else "是谁"
    questions = (f"{topic}的{label}{word}？", f"请问{topic}，{label}{word}？")
    asked = Asked.WHERE if word == "在哪里" else Asked.WHO
    return [
        Point(
            "who" if asked is Asked.WHO else "where",
            asked,
            "zh",
            sentence,
            plain,
            value,
            f"{topic}的{label}是{value}。",
            topic,
            questions,
        )
    ]


_RULES = {
    Asked.AMOUNT: "how-much",
    Asked.SHARE: "how-much",
    Asked.DATE: "when",
    Asked.TIME: "when",
    Asked.DURATION: "how-long",
    Asked.NUMBER: "number",
}


def _point(
    rule: str, asked: Asked, sentence: str, clause: str, value: str, statement: str, stated: list[str], topic: str
) -> Point:
    answer = statement if len(statement) <= LONGEST_ANSWER["zh"] else value if len(clause) > LONGEST_ANSWER["zh"] else clause
    stated = [text for text in stated if not _LEANS.match(text) and len(text) <= _LONGEST_QUESTION]
    questions: list[str] = []
    for number, text in enumerate(stated):
        if number == 0 and not _leans(text):
            questions.append(f"{text}？")
        if topic:
            questions.append((f"关于{topic}，{text}？", f"{topic}方面，{text}？")[number % 2])
        elif number and not _leans(text):
            questions.append(f"请问{text}？")
    return Point(rule, asked, "zh", sentence, clause, value, answer + "。", topic, tuple(questions))


def _leans(text: str) -> bool:
    """Whether the question says too little to be understood without its heading."""
    words = re.findall(rf"[{HAN}]|[A-Za-z][A-Za-z0-9-]*", text)
    return len(words) < _CHARACTERS_THAT_SUFFICE or bool(_GOES_ON.match(text))
