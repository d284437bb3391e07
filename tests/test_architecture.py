"""Rules of the house that no other tool checks, read from the source itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("ingest", "eval", "finetune", "services")
LONGEST_FILE = 440
"""Lines. About 400 is the rule; a file that needs a few more is not cut in two for that."""


def sources(*folders: str) -> Iterator[tuple[Path, ast.Module]]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "node_modules" not in path.parts:
                yield path, ast.parse(path.read_text(encoding="utf-8"))


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def arguments_with_defaults(function: ast.FunctionDef | ast.AsyncFunctionDef) -> dict[str, ast.expr | None]:
    """Each argument's default, None where it has none."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    missing: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults))
    pairs = [*zip(positional, [*missing, *arguments.defaults], strict=True)]
    pairs += zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return {argument.arg: default for argument, default in pairs}


def test_nobody_imports_eval_under_the_name_of_the_builtin() -> None:
    for path, tree in sources(*PACKAGES, "tests", "deploy"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                assert all(alias.name != "eval" or alias.asname for alias in node.names), f"{path}:{node.lineno}"


def test_access_has_no_default_anywhere() -> None:
    """Whoever reads says on whose behalf, so nobody can forget to."""
    seen = 0
    for path, tree in sources(*PACKAGES):
        for function in functions(tree):
            for name, default in arguments_with_defaults(function).items():
                if name in ("access", "_access"):
                    seen += 1
                    assert default is None, f"{path}:{function.lineno} {function.name}"
    assert seen > 20


def test_every_route_knows_its_caller() -> None:
    """Each route under /api and /v1 takes the caller's access: what it does not use, it has at least required."""
    for path, tree in sources("services/api"):
        for function in functions(tree):
            routes = [
                one for one in function.decorator_list if isinstance(one, ast.Call) and ast.unparse(one).startswith("router.")
            ]
            if routes:
                kinds = {ast.unparse(one.annotation) for one in function.args.args if one.annotation is not None}
                assert kinds & {"Caller", "Administrator"}, f"{path}:{function.lineno} {function.name}"


def test_no_file_is_too_long_to_read() -> None:
    for path, _ in sources(*PACKAGES):
        lines = path.read_text(encoding="utf-8").count("\n")
        assert lines <= LONGEST_FILE, f"{path} has {lines} lines"


def test_errors_come_from_the_one_tree() -> None:
    """An `Exception` class of another file would reach people as a stack trace."""
    for path, tree in sources(*PACKAGES):
        if path.name == "errors.py":
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                bases = {ast.unparse(base) for base in node.bases}
                assert not bases & {"Exception", "RuntimeError", "ValueError"}, f"{path}:{node.lineno}"
