"""A passage's language, where it says enough to tell."""

from __future__ import annotations

import pytest

from ingest.languages import UNDETERMINED, language_of


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Full-time employees are entitled to 27 working days of paid holiday.", "en"),
        ("全职员工每年享有二十七个工作日的带薪年休假。", "zh"),
        ("HX-200 泵的密封件每 500 小时检查一次，见 maintenance manual 第 3 章。", "zh"),
        ("Die Mitarbeiter haben Anspruch auf 27 Arbeitstage Urlaub, der mit dem Vorgesetzten abgestimmt wird.", "de"),
        ("Les employés à temps plein ont droit à 27 jours de congés payés par an, en plus des jours fériés.", "fr"),
        ("Los empleados a tiempo completo tienen derecho a 27 días de vacaciones, que se acuerdan con el jefe.", "es"),
        ("正社員は年間27日の有給休暇を取得できます。", "ja"),
        ("정규직 직원은 연간 27일의 유급 휴가를 받을 수 있습니다.", "ko"),
        ("Сотрудники имеют право на 27 рабочих дней отпуска.", "ru"),
        ("Ａｌｌ　ｏｆ　ｔｈｅ　ｅｍｐｌｏｙｅｅｓ　ａｒｅ　ｅｎｔｉｔｌｅｄ　ｔｏ　ｉｔ．", "en"),
        ("12,345 | 67 % | 8.9", UNDETERMINED),
        ("HX-200", UNDETERMINED),
        ("", UNDETERMINED),
    ],
)
def test_language(text: str, code: str) -> None:
    assert language_of(text) == code
