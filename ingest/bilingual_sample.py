"""A fixed sample of passages and questions, in Chinese and English, on which ways of computing a model are compared.

Made of a few parts, so that each passage has close neighbours that differ in a detail: where neighbours are close, a small error
in the vectors shows. It says nothing about how good a model is.
"""

from __future__ import annotations

_SUBJECTS = (
    ("annual leave", "年休假"),
    ("travel expenses", "差旅费用"),
    ("the hydraulic pump", "液压泵"),
    ("the fire drill", "消防演习"),
    ("supplier contracts", "供应商合同"),
    ("the backup of the database", "数据库备份"),
    ("the clean room", "洁净室"),
    ("customer complaints", "客户投诉"),
    ("the forklift", "叉车"),
    ("overtime pay", "加班工资"),
    ("the visitor badge", "访客证"),
    ("chemical waste", "化学废料"),
)
_ENGLISH = (
    "The rules for {subject} were last revised in {year}. They apply to every site, also to those who work there for a supplier.",
    "Whoever is responsible for {subject} writes a report within {days} days and sends it to the head of the department.",
    "Questions about {subject} go to office {office}. Without its signature nothing may be changed, ordered or paid for.",
    "Records on {subject} are kept for {days} months. After that they are destroyed, unless a court or an auditor asks for them.",
)
_CHINESE = (
    "关于{subject}的规定最近一次修订于{year}年，适用于所有厂区，也适用于在厂区工作的供应商人员。",
    "负责{subject}的人员须在{days}天内写出报告，并交给部门负责人。",
    "有关{subject}的问题请联系{office}室。未经该室签字，不得更改、订购或付款。",
    "{subject}的记录保存{days}个月，之后销毁，法院或审计人员要求保留的除外。",
)
_QUESTIONS = (
    ("When were the rules for {subject} last revised?", "{subject}的规定是什么时候修订的？"),
    ("How long are records on {subject} kept?", "{subject}的记录要保存多久？"),
)


def sample_passages() -> list[str]:
    """96 passages of one or two sentences, half of them Chinese."""
    return [
        pattern.format(subject=subject, year=2004 + 2 * number, days=5 + 3 * number, office=101 + 7 * number)
        for number, subjects in enumerate(_SUBJECTS)
        for subject, patterns in zip(subjects, (_ENGLISH, _CHINESE), strict=True)
        for pattern in patterns
    ]


def sample_questions() -> list[str]:
    """48 questions, each answered by one of the passages."""
    return [
        pattern.format(subject=subject)
        for subjects in _SUBJECTS
        for patterns in _QUESTIONS
        for subject, pattern in zip(subjects, patterns, strict=True)
    ]
