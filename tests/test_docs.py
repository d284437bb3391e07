"""The documentation is right: settings, commands, routes and errors are described, what is shown exists, links resolve."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import typer
from pydantic import BaseModel

from ingest.errors import GraftError
from services.api.app import create_app
from services.cli import app
from services.knowledge_base import KnowledgeBase
from services.settings import Settings

ROOT = Path(__file__).parent.parent
GUIDE = ROOT / "docs" / "guide"
DOCS = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")]
DOCS += [ROOT / "eval" / name / "README.md" for name in ("sample_corpus", "grounded_set")]
DOCS += sorted((ROOT / "docs").rglob("*.md"))

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def texts() -> list[Any]:
    return [pytest.param(path, id=str(path.relative_to(ROOT))) for path in DOCS]


# Settings


def settings_in(model: type[BaseModel], prefix: str = "") -> dict[str, str]:
    """Name → default, as the guide writes them."""
    found: dict[str, str] = {}
    for name, field in model.model_fields.items():
        default = field.get_default(call_default_factory=True, validated_data={})
        if isinstance(default, BaseModel):
            found |= settings_in(type(default), f"{prefix}{name}.")
        else:
            found[prefix + name] = written(default)
    return found


def written(default: object) -> str:
    match default:
        case None:
            return ""
        case bool():
            return str(default).lower()
        case float():
            return f"{default:g}"
        case Path():
            return str(default).replace(str(Path.home()), "~")
        case _:
            return str(default)


def test_every_setting_is_documented_with_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GRAFT_MODELS_DIR", "XDG_CACHE_HOME"):  # the default of `models_dir` goes by them
        monkeypatch.delenv(name, raising=False)
    guide = (GUIDE / "administration.md").read_text(encoding="utf-8")
    section = guide.partition("\n## Settings\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([\w.]+)` \| (?:`([^`]*)`)? ?\|", section, re.MULTILINE)
    assert dict(rows) == settings_in(Settings)


# Commands


def commands(group: Any, path: str = "graft") -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def flags(command: Any) -> set[str]:
    return {flag for one in command.params for flag in (*one.opts, *one.secondary_opts) if flag.startswith("--")}


COMMANDS = dict(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_is_documented_with_its_options(path: str) -> None:
    guide = (GUIDE / "using.md").read_text(encoding="utf-8")
    row = re.search(rf"^\| `{path}[ `].*", guide, re.MULTILINE)
    assert row is not None, f"docs/guide/using.md does not describe {path}"
    assert not {flag for flag in flags(COMMANDS[path]) - {"--json"} if flag not in row[0]}
    assert ("--json" in flags(COMMANDS[path])) == bool(re.search(rf"`{path}(?: --[a-z-]+)* --json`", guide))


def shown_commands(text: str) -> Iterator[str]:
    """Every command that a document shows, in shell blocks and in the running text."""
    shell = [line for language, block in FENCE.findall(text) if language == "sh" for line in block.splitlines()]
    for code in [*shell, *re.findall(r"`([^`\n]+)`", FENCE.sub("", text))]:
        if found := re.match(r"(?:[A-Z_]+=\S* )*(?:\S*/)?((?:graft|make) .*)", code):
            yield found[1]


@pytest.mark.parametrize("document", texts())
def test_shown_commands_exist(document: Path) -> None:
    targets = re.search(r"^TARGETS = (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert targets is not None
    for shown in shown_commands(document.read_text(encoding="utf-8")):
        program, first, second = [*shown.split(), ""][:3]
        if program == "make":
            assert first in {*targets[1].split(), "help"}, shown
            continue
        if first == "COMMAND":  # what a reader puts a name for
            continue
        exact = [path for path in (f"graft {first}", f"graft {first} {second}".strip()) if path in COMMANDS]
        is_group = not second and any(path.startswith(f"graft {first} ") for path in COMMANDS)
        assert exact or is_group, shown
        wanted = set(re.findall(r"--[a-z-]+", shown)) - {"--help"}
        assert wanted <= (flags(COMMANDS[exact[0]]) if exact else set()), shown


# Routes and errors


def test_every_route_is_documented() -> None:
    guide = (GUIDE / "http.md").read_text(encoding="utf-8")
    routes = create_app(cast(KnowledgeBase, None), local_key="none").openapi()["paths"]
    wanted = {f"`{method.upper()} {path}`" for path, methods in routes.items() for method in methods}
    assert not {route for route in wanted if route not in guide}


def errors(root: type[GraftError] = GraftError) -> Iterator[type[GraftError]]:
    yield root
    for error in root.__subclasses__():
        yield from errors(error)


def test_every_exit_code_and_error_status_is_documented() -> None:
    using, http = ((GUIDE / name).read_text(encoding="utf-8") for name in ("using.md", "http.md"))
    for error in errors():
        assert re.search(rf"^\| {error.exit_code} \|", using, re.MULTILINE), error
        assert re.search(rf"^\| {error.http_status} \|", http, re.MULTILINE), error


# Links and words


def anchors(document: Path) -> set[str]:
    """The names that a forge gives to the headings."""
    text = FENCE.sub("", document.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", texts())
def test_relative_links_resolve(document: Path) -> None:
    for target in LINK.findall(FENCE.sub("", document.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        found = (document.parent / path).resolve() if path else document
        assert found.exists(), target
        assert not anchor or anchor in anchors(found), target


@pytest.mark.parametrize("document", texts())
def test_no_document_names_the_machine_or_the_tracker_it_was_written_with(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    machine = r"(?<![\w.~])/(?:tmp|work|root|home|mnt|media|Users)/\S+"
    tracker = r"\b(?:issue|ticket|task|story|epic)s? #?\d+|(?<![\w&])#\d+\b|\b(?:assignee|backlog|sprint)s?\b"
    assert not re.findall(f"(?i){machine}|{tracker}", text)


def test_shown_images_are_small() -> None:
    assert all(image.stat().st_size < 200_000 for image in (ROOT / "docs").rglob("*.png"))
