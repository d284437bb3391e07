"""Personal data is found where its check digits and surroundings leave no doubt, and masked in place.

All numbers are published test and example numbers: of GB 11643, of card schemes, of the IBAN registry, of the SSA, of the number
ranges for drama (Ofcom, NANP 555-01xx), and the operator's own 13800138000.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.personal_data import EVERY_KIND, MASK, PersonalData, find_personal_data, hidden, masked

ID = "11010519491231002X"

FOUND = [
    ("身份证号：11010519491231002X。", "chinese_id", ID),
    ("id 11010519491231002x, see above", "chinese_id", ID.lower()),
    ("１１０１０５１９４９１２３１００２Ｘ", "chinese_id", "１１０１０５１９４９１２３１００２Ｘ"),
    ("Paid by 4111 1111 1111 1111 yesterday", "bank_card", "4111 1111 1111 1111"),
    ("Paid by 5555-5555-5555-4444.", "bank_card", "5555-5555-5555-4444"),
    ("卡号4111111111111111", "bank_card", "4111111111111111"),
    ("credit card: 378282246310005", "bank_card", "378282246310005"),
    ("3782 822463 10005", "bank_card", "3782 822463 10005"),
    ("6200000000000005", "bank_card", "6200000000000005"),
    ("IBAN GB82 WEST 1234 5698 7654 32 at our bank", "iban", "GB82 WEST 1234 5698 7654 32"),
    ("DE89370400440532013000", "iban", "DE89370400440532013000"),
    ("SSN 078-05-1120", "us_ssn", "078-05-1120"),
    ("social security number 078051120", "us_ssn", "078051120"),
    ("AB 12 34 56 C", "uk_nino", "AB 12 34 56 C"),
    ("national insurance number AB123456C", "uk_nino", "AB123456C"),
    ("write to first.last@example.com, please", "email", "first.last@example.com"),
    ("邮箱：zhang.san@example.com.cn。", "email", "zhang.san@example.com.cn"),
    ("手机13800138000，办公室", "phone", "13800138000"),
    ("张三 | 13800138000 | 财务部", "phone", "13800138000"),
    ("+86 138 0013 8000", "phone", "+86 138 0013 8000"),
    ("138\u200b0013\u200b8000", "phone", "138\u200b0013\u200b8000"),
    ("010-62345678", "phone", "010-62345678"),
    ("(415) 555-0132", "phone", "(415) 555-0132"),
    ("+1 415-555-0132", "phone", "+1 415-555-0132"),
    ("Tel: 415 555 0132", "phone", "415 555 0132"),
    ("电话：62345678", "phone", "62345678"),
    ("热线 95105105 企业QQ：4000001999", "phone", "95105105"),
    ("020 7946 0958", "phone", "020 7946 0958"),
    ("+44 7700 900123", "phone", "+44 7700 900123"),
    ("07700 900123", "phone", "07700 900123"),
]


@pytest.mark.parametrize(("text", "kind", "value"), FOUND)
def test_found(text: str, kind: str, value: str) -> None:
    assert [(one.kind, text[one.start : one.end]) for one in find_personal_data(text)] == [(kind, value)]


@pytest.mark.parametrize(
    "text",
    [
        "身份证号：110105194912310021",  # check digit
        "身份证号：11010519491331002X",  # month 13
        "身份证号：99010519491231002X",  # no such province
        "1" + ID,  # inside longer numbers
        ID + "7",
        "A" + ID,
        "card 4111 1111 1111 1112",  # Luhn
        "4111111111111111",  # one number in ten passes Luhn: nothing says that this one is a card
        "card 9111 1111 1111 1111",  # no issuer
        "card 0000 0000 0000 0000",
        "GB82 WEST 1234 5698 7654 33",  # mod 97
        "XX82 WEST 1234 5698 7654 32",  # no such country
        "078 05 1120",
        "000-12-3456",
        "666-12-3456",
        "900-12-3456",
        "123-00-4567",
        "AB123456C",  # could be a part's number
        "QQ 12 34 56 C",  # a prefix that is never given
        "a@b, user@localhost, image@2x.png, @handle",
        "订单号：13800138000",
        "金额13800138000元",
        "¥13800138000",
        "11380013800012",
        "0.13800138000",
        "12000138000",  # no such prefix
        "415 555 0132",  # three cells of a table
        "请于 20240501 前致电 20240502",  # dates
        "62345678",
        "2024-05-01 to 2024-12-31",
        "1,234,567.89 | 21,012 | -4.5 %",
        "ISBN 978-7-111-12345-6",
        "192.168.100.100:8080",
        "version 2023.11.23.1234567",
        "GB/T 19001-2016, ISO 9001:2015",
        "合同编号 2023-0415-6789",
        "3.14159265358979",
    ],
)
def test_not_found(text: str) -> None:
    assert find_personal_data(text) == []


def test_only_the_kinds_asked_for_are_masked_and_the_end_stays() -> None:
    text = f"{ID}, 13800138000, ab@example.com"
    assert masked(text) == f"{MASK * 14}002X, {MASK * 7}8000, a{MASK}@example.com"
    assert masked(text, {PersonalData.EMAIL}) == f"{ID}, 13800138000, a{MASK}@example.com"
    assert masked(text, ()) == text


@pytest.mark.parametrize(("kind", "value"), [("email", "a@example.com"), ("email", "_@example.com"), ("phone", "12345678")])
def test_a_masked_value_is_never_the_value(kind: str, value: str) -> None:
    assert hidden(PersonalData(kind), value) != value
    assert len(hidden(PersonalData(kind), value)) == len(value)


PARTS = st.sampled_from(
    [text for text, _, _ in FOUND] + ["电话 ", "card ", " ", "-", "1", "2222 3333 4444", "\u200b", "。", "Ã©", "＠", "a"]
)
TEXTS = st.lists(PARTS | st.text(max_size=6), max_size=8).map("".join)


@settings(deadline=None)
@given(TEXTS)
def test_a_masked_text_is_as_long_and_holds_nothing_more_to_mask(text: str) -> None:
    once = masked(text)
    assert len(once) == len(text)
    assert masked(once) == once
    assert all(now in (was, MASK) for was, now in zip(text, once, strict=True))


@settings(deadline=None)
@given(TEXTS)
def test_findings_are_in_order_and_apart(text: str) -> None:
    found = find_personal_data(text, EVERY_KIND)
    assert all(0 <= one.start < one.end <= len(text) for one in found)


@given(st.text(st.sampled_from("0123456789"), min_size=20, max_size=60))
def test_nothing_is_found_inside_a_longer_number(digits: str) -> None:
    assert find_personal_data(digits) == []
