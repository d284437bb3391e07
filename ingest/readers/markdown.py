"""Markdown (CommonMark with tables): what it looks like when it is shown, without its marks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ingest.readers import hypertext
from ingest.readers.base import Piece, Reading, Source
from ingest.readers.parts import reading_of, table_pieces
from ingest.readers.plain import read_text
from ingest.types import BlockKind

if TYPE_CHECKING:
    from markdown_it.token import Token

_FRONT_MATTER = re.compile(r"---\n(.*?)\n(?:---|\.\.\.)(?:\n|$)", re.DOTALL)
_FRONT_TITLE = re.compile(r"^title:[ \t]*[\"']?(.*?)[\"']?[ \t]*$", re.MULTILINE)
_TEXTS = {"text", "code_inline"}
_HEADINGS = {f"h{level}": level for level in range(1, 7)}


def read(source: Source) -> Reading:
    """The title of the front matter, where there is one, and the text in parts of about a page."""
    decoded = read_text(source)
    front = _FRONT_MATTER.match(decoded.text)
    title = _FRONT_TITLE.search(front[1]) if front else None
    body = decoded.text[front.end() :] if front else decoded.text
    return reading_of(pieces(body), limits=source.limits, title=title[1] if title else "", warnings=decoded.warnings)


def pieces(text: str) -> Iterator[Piece]:
    """The headings, paragraphs, list items, tables and code blocks of a Markdown text."""
    from markdown_it import MarkdownIt  # only the worker needs it

    lists = level = 0
    table: list[list[str]] = []
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type in ("bullet_list_open", "ordered_list_open", "bullet_list_close", "ordered_list_close"):
            lists += token.nesting
        elif token.tag in _HEADINGS:
            level = _HEADINGS[token.tag] if token.nesting > 0 else 0
        elif token.type == "tr_open":
            table.append([])
        elif token.type == "table_close":
            yield from table_pieces(table)
            table = []
        elif token.type == "inline" and table:
            table[-1].append(_shown(token))
        else:
            yield from _piece(token, BlockKind.HEADING if level else BlockKind.LIST if lists else BlockKind.TEXT, level)


def _piece(token: Token, kind: BlockKind, level: int) -> Iterator[Piece]:
    """What a token says by itself; most only tell where something begins or ends."""
    if token.type == "inline":
        yield Piece(kind, _shown(token), level)
    elif token.type in ("fence", "code_block"):
        yield Piece(BlockKind.TEXT, token.content)
    elif token.type == "html_block":
        yield from hypertext.pieces_of(token.content)[1]


def _shown(token: Token) -> str:
    parts = []
    for child in token.children or []:
        if child.type in _TEXTS:
            parts.append(child.content)
        elif child.type == "image":
            parts.append(_shown(child))
        elif child.type in ("softbreak", "hardbreak"):
            parts.append("\n")
    return "".join(parts)
