"""The Chinese page has words for what the server says of files and keys in English: warnings and reasons of a refusal."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from ingest import reading_warnings
from ingest.errors import BrokenFile, LimitPassed, NotPermitted, PasswordNeeded, Quarantined, UnknownType
from ingest.isolation import FileWorker
from ingest.readers import detect
from ingest.settings import ReadLimits
from ingest.types import Page, Word
from services import jobs
from services.api import auth

ROOT = Path(__file__).parents[2]
REFUSALS = {kind.__name__ for kind in (UnknownType, BrokenFile, PasswordNeeded, LimitPassed, Quarantined, NotPermitted)}
TWO_ENGLISH_WORDS = re.compile(r"\b[a-z]+ [a-z]+\b")

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")


def in_chinese(said: list[str]) -> list[str]:
    """What the page makes of the messages."""
    module = ROOT / "services" / "web" / "src" / "chinese.js"
    code = (
        f"import {{ inChinese }} from {json.dumps(module.as_uri())};"
        f"console.log(JSON.stringify({json.dumps(said)}.map(inChinese)));"
    )
    node = ["node", "--input-type=module", "--eval", code]
    done = subprocess.run(node, capture_output=True, text=True, check=True, timeout=60)
    shown: list[str] = json.loads(done.stdout)
    return shown


def left_in_english(said: list[str]) -> list[str]:
    """The messages that the page shows in English, wholly or in part. Names of settings and products stand alone."""
    return [
        f"{before} → {after}" for before, after in zip(said, in_chinese(said), strict=True) if TWO_ENGLISH_WORDS.search(after)
    ]


PAGES = (
    Page(1, 595, 842, "", hidden=42),
    Page(2, 0, 0, ""),
    Page(3, 595, 842, "word", ocr=True, words=(Word(0, 4, 0.5),)),
)
WARNINGS: dict[Callable[..., str | list[str]], tuple[object, ...]] = {
    reading_warnings.warnings_of: (PAGES,),
    reading_warnings.hidden_in_word: (1,),
    reading_warnings.not_text: (3, "gb18030"),
    reading_warnings.hidden_sheets: (["Rates", "成本"],),
    reading_warnings.attachment_refused: ("a.gif", "the file is a GIF image: save it as .png"),
    reading_warnings.attachment_without_text: ("scan.pdf", 2, 7),
    reading_warnings.of_attachment: ("a.eml", reading_warnings.attachment_refused("b.pdf", "the PDF has no pages")),
}
"""Arguments for each function that words a warning."""


def test_every_warning_of_a_reading_is_said_in_chinese() -> None:
    functions = {function for name, function in vars(reading_warnings).items() if inspect.isfunction(function) and name[0] != "_"}
    assert functions == set(WARNINGS)
    told = [function(*arguments) for function, arguments in WARNINGS.items()]
    said = [one for each in told for one in ([each] if isinstance(each, str) else each)]
    assert len(said) == len(WARNINGS) + 3
    assert left_in_english(said) == []


def refusals() -> Iterator[str]:
    """What the source refuses files with, as it is written, with a 7 where something is filled in."""
    for path in (*ROOT.glob("ingest/**/*.py"), *ROOT.glob("services/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in REFUSALS:
                module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
                yield written(node.args[0], module)


def written(text: ast.expr, module: ModuleType) -> str:
    match text:
        case ast.Constant(value=str(said)):
            return said
        case ast.JoinedStr(values=parts):
            return "".join(
                written(part.value, module) if isinstance(part, ast.FormattedValue) else written(part, module) for part in parts
            )
        case ast.Name(id=name):
            return str(getattr(module, name, 7))
        case _:
            return "7"


def descriptions() -> Iterator[str]:
    """What a file of a type that is not read is called: every text of the module that begins with an article."""
    for node in ast.walk(ast.parse(inspect.getsource(detect))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.match("an? ", node.value):
            yield node.value


def test_every_refusal_is_said_in_chinese() -> None:
    found = list(refusals())
    assert len(found) > 25
    assert "7" not in found  # or its words would not be seen here
    worker = FileWorker(ReadLimits())
    over_time = [str(worker._over_time(whole=whole)) for whole in (True, False)]
    assert left_in_english([*found, *over_time, auth._KEY_NEEDED, str(jobs._STOPPED["error"])]) == []


def test_every_type_that_is_not_read_is_named_in_chinese() -> None:
    found = [*descriptions(), *(detect._unknown(b"\x00\x01", suffix) for suffix in ("", ".xyz"))]
    assert len(found) > 25
    assert left_in_english([str(detect._refusal(named)) for named in found]) == []


def test_every_kind_of_file_is_named_in_chinese() -> None:
    kinds = [*detect.FileType, "file", "Office file"]
    assert left_in_english([f"the {kind} is broken and cannot be read (7). Save or download it again" for kind in kinds]) == []


def test_a_message_keeps_what_is_filled_in_and_an_unknown_one_stays_as_it_came() -> None:
    said = {
        "no text layer: page 1-3, 7": "没有可读取的文字（页面只有图像）：第 1-3、7 页",
        "attachment 'a.eml': attachment \"Bob's.gif\" was not read: the file is a GIF image: save it as .png": (
            "附件“a.eml”：附件“Bob's.gif”未读取：不支持此类文件：GIF 图片，请另存为 .png"
        ),
        "hidden sheets were not read: a sound, 成本": "未读取隐藏的工作表：a sound、成本",
        "the PDF has 9000 pages; at most 5000 are read: split it, or raise the setting read.pages": (
            "此 PDF 有 9000 页，最多读取 5000 页：请拆分文件，或调高设置项 read.pages"
        ),
        "the moon stands between pages": "the moon stands between pages",
    }
    assert in_chinese(list(said)) == list(said.values())
