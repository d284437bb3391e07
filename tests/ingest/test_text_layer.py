"""Garbage is told from text that a page may well hold, in any language."""

from __future__ import annotations

import pytest

from ingest.text_layer import is_garbage, says_the_same

ENGLISH = "The company pays for travel that a manager asked for, and receipts are kept for ten years after the end of it. "
CHINESE = "公司承担经理批准的差旅费用，相关票据自业务结束之日起保存十年，逾期由财务部门统一销毁并登记备案。"
SOUND = {
    "english": ENGLISH,
    "chinese": CHINESE,
    "traditional": "公司承擔經理批准的差旅費用，相關票據自業務結束之日起保存十年，逾期由財務部門統一銷毀並登記備案。",
    "german": "Für größere Änderungen müssen überprüfte Unterlagen rechtzeitig vorgelegt werden, sonst verzögert sich alles.",
    "french": "Les frais engagés à l'étranger sont remboursés après réception des pièces justificatives par la société.",
    "czech": "Přílišné zvýšení nákladů způsobilo, že společnost své závazky vůči věřitelům řádně a včas nesplnila.",
    "polish": "Współpraca z przedsiębiorstwami zagranicznymi wymaga szczegółowych uzgodnień oraz zgody zarządu spółki.",
    "russian": "Компания оплачивает командировки, согласованные с руководителем, и хранит документы десять лет.",
    "japanese": "会社は上司が承認した出張の費用を負担し、領収書は業務終了後十年間保管され、期限後は経理部門が処分して登録する。",
    "korean": "회사는 관리자가 승인한 출장 비용을 부담하며 영수증은 업무 종료 후 십 년 동안 보관한다.",
    "figures": "1,204 3,310 (552) 12.4% 2023 2022 $ 81,344 77,012 " * 4,
    "bullets": "\uf0b7 The first point of it \uf0b7 and the second one \uf0b7 and the third of them all",
    "codes": "XK-11 RTZ-204 BBW QRS-9 TTX-31 MMN VKZ-8 PRT-55 " * 9,
}


@pytest.mark.parametrize("language", SOUND)
def test_text_that_a_page_may_hold_is_kept(language: str) -> None:
    assert not is_garbage(SOUND[language])


GARBAGE = {
    "private use": "".join(chr(0xE000 + ord(character)) for character in ENGLISH),
    "replacement": "\ufffd" * 40,
    "glyph numbers": "".join(chr(max(1, ord(character) - 29)) for character in ENGLISH),
    "shifted alphabet": "".join(chr((ord(c) - 97 + 3) % 26 + 97) if c.islower() else c for c in ENGLISH),
    "chinese bytes as latin": CHINESE.encode("gb18030").decode("latin-1"),
    "shifted ideographs": "".join(chr(ord(character) + 0x111) for character in CHINESE),
}


@pytest.mark.parametrize("fault", GARBAGE)
def test_text_that_cannot_be_what_the_page_shows_is_garbage(fault: str) -> None:
    assert is_garbage(GARBAGE[fault])


def test_a_few_lost_characters_or_next_to_no_text_condemn_nothing() -> None:
    assert not is_garbage(ENGLISH + "\ufffd" * 5)
    assert not is_garbage("\ufffd" * 8)
    assert not is_garbage("")


def test_a_layer_that_says_what_the_picture_says_is_known_in_whatever_order() -> None:
    assert says_the_same("BBW MMN 12 VKZ", "vkz bbw 12 mmn")
    assert says_the_same(ENGLISH, ENGLISH.replace("manager", "rnanager"))
    assert not any(says_the_same(GARBAGE[fault], CHINESE if "chin" in fault or "ideo" in fault else ENGLISH) for fault in GARBAGE)
