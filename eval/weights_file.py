"""Weights that our own commands fitted: a JSON file a model, with the names of the features that it is a model of."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ingest.errors import GraftError


def read_weights_file(path: Path, *, what: str, features: Iterable[str], made_by: str) -> dict[str, Any]:
    """What the file holds; `what` names it in an error, `made_by` is the module that makes it.

    Raises:
        GraftError: it cannot be read, or belongs to other features, or to these in another order.
    """
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise GraftError(f"The {what} {path} cannot be read: {error}.") from error
    if content.get("format") != 1 or content.get("features") != list(features):
        raise GraftError(f"The {what} {path} were made for other features; make them again: python -m {made_by}.")
    return content
