"""A sentence that follows a statement of the evidence but for one place: another number, or in Chinese another word.

The words around the place have to be the same on both sides, and nothing of the other statements near it may agree with the
sentence. It finds what a comparison by topic leaves open: counts without a unit, and a short new word in a long sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from eval.checks.claim import SAME_THING, Claim
from eval.checks.finding import Finding
from eval.checks.statements import Statement
from eval.checks.tiling import Piece, Token, common_pieces, tokens_of
from eval.support import RARE_IDF
from eval.types import Fault
from ingest.tokens import is_han, simplified

_NUMERALS = frozenset("零〇一二三四五六七八九十两百千半")
_MASK = "0"
_DATE_PARTS = frozenset("年月日号號点點时時-")
_MARKS_INSIDE = frozenset(",.:/-–~")
# A run in which numbers are compared has to have so many words or characters, and the number so many before or after it.
_RUN = {"en": 4, "zh": 5}
_BESIDE = 2
# The share of the sentence that the statement has to hold, and what a lone new word may be: docs/decisions/0020.
_HELD = 0.7
_WORD_CHARACTERS = (2, 4)
_FUNCTION = frozenset("的了和与及或是为在有将被把对从到于以可能会应须需要得必请按由已也还就都均其该此每各等不没未无非")
_REASON = {"en": "the evidence says {theirs} here, not {ours}", "zh": "依据中此处是{theirs}，不是{ours}"}
_MOST_TOKENS = 120


def check_aligned_numbers(claim: Claim) -> Finding | None:
    """A number between words of the evidence that has another number between them there, in every statement that is near."""
    ours = tokens_of(claim.statement)
    wrong: dict[int, str] = {}
    right: set[int] = set()
    if sum(share >= SAME_THING for share in claim.coverage.values()) > len(claim.nearest):
        return None  # entries of a list that differ in their numbers alone: which one the sentence follows is not known
    near = [(statement, tokens_of(statement)) for statement in claim.nearest]
    if any(len(tokens) > _MOST_TOKENS for tokens in (ours, *(tokens for _, tokens in near))):
        return None  # the one that is too long to compare may be the one that the sentence follows
    for statement, tokens in near:
        for place, theirs in _aligned_numbers(ours, tokens, run=_RUN[claim.language]):
            if ours[place].term == theirs.term:
                right.add(place)
            else:
                wrong.setdefault(place, statement.text[theirs.start : theirs.end])
    for place, said in wrong.items():
        if place not in right:
            return _finding(claim, (ours[place].start, ours[place].end), said)
    return None


def _aligned_numbers(ours: Sequence[Token], theirs: Sequence[Token], *, run: int) -> Iterator[tuple[int, Token]]:
    """Places of numbers of ours in long runs that are common but for numbers, each with the number that stands there."""
    for piece in common_pieces([_masked(token) for token in ours], [_masked(token) for token in theirs]):
        if piece.ours and ours[piece.ours - 1].term[0].isalnum():
            continue  # what it is said of stands before, and may be something else
        # What follows is the same as well: a number in another unit may be the same amount.
        for at in range(_BESIDE, piece.length - 1 if piece.length >= run else 0):
            here, there = ours[piece.ours + at], theirs[piece.theirs + at]
            alone = not _goes_on(ours, piece.ours + at) and not _goes_on(theirs, piece.theirs + at)
            if _masked(here) == _MASK and alone and any(_is_word(token) for token in ours[piece.ours : piece.ours + at]):
                yield piece.ours + at, there


def _masked(token: Token) -> str:
    return _MASK if token.term[0].isdigit() else token.term


def _is_word(token: Token) -> bool:
    return token.term[0].isalpha() and token.term not in _FUNCTION


def _goes_on(tokens: Sequence[Token], at: int) -> bool:
    """Whether the number is a part of a date, a time or a longer number: `7:40`, `3 ,500`, 6月."""
    following = tokens[at + 1].term if at + 1 < len(tokens) else ""
    number_next = at + 2 < len(tokens) and tokens[at + 2].term[0].isdigit()
    before = tokens[at - 1].term
    return following in _DATE_PARTS or (following in _MARKS_INSIDE and number_next) or before in _MARKS_INSIDE or before == "第"


def check_substituted_word(claim: Claim) -> Finding | None:
    """A Chinese word that the evidence holds nowhere, in the place of another one that shares no character with it."""
    if claim.language != "zh":
        return None
    ours = tokens_of(claim.statement)
    for statement in _followed(claim, ours):
        theirs = tokens_of(statement)
        pieces = common_pieces([token.term for token in ours], [token.term for token in theirs])
        in_order = _in_order(pieces)
        if sum(piece.length for piece in in_order) < _HELD * len(ours):
            continue
        for before, after in zip(in_order, [*in_order[1:], None], strict=True):
            place = _gap(before, after, ours, theirs)
            if place is None:
                continue
            mine, other = place
            word, instead = (claim.statement.text[mine[0] : mine[1]], statement.text[other[0] : other[1]])
            if _is_new_word(claim, word, instead):
                return _finding(claim, mine, instead)
    return None


def _followed(claim: Claim, ours: Sequence[Token]) -> Iterator[Statement]:
    if len(ours) <= _MOST_TOKENS:
        yield from (one for one in claim.near_enough(_HELD / 2)[:2] if len(one.text) <= 2 * _MOST_TOKENS)


def _in_order(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces of two or more tokens that stand in the same order there."""
    kept: list[Piece] = []
    for piece in pieces:
        if piece.length >= _BESIDE and (not kept or piece.theirs >= kept[-1].theirs + kept[-1].length):
            kept.append(piece)
    return kept


Span = tuple[int, int]


def _gap(before: Piece, after: Piece | None, ours: Sequence[Token], theirs: Sequence[Token]) -> tuple[Span, Span] | None:
    """What stands between two pieces here and there, up to the next mark where nothing follows; None where that is nothing."""
    here = _up_to_mark(ours, before.ours + before.length, after.ours if after else len(ours))
    there = _up_to_mark(theirs, before.theirs + before.length, after.theirs if after else len(theirs))
    if here[0] == here[1] or there[0] == there[1]:
        return None
    return (ours[here[0]].start, ours[here[1] - 1].end), (theirs[there[0]].start, theirs[there[1] - 1].end)


def _up_to_mark(tokens: Sequence[Token], start: int, end: int) -> tuple[int, int]:
    for at in range(start, end):
        if not tokens[at].term[0].isalnum():
            return start, at
    return start, end


def _is_new_word(claim: Claim, word: str, instead: str) -> bool:
    shortest, longest = _WORD_CHARACTERS
    if not (shortest <= len(word) <= longest and shortest <= len(instead) <= 2 * longest):
        return False
    if not all(is_han(character) for character in word + instead) or set(simplified(word)) & set(simplified(instead)):
        return False
    if any(character in _FUNCTION or character in _NUMERALS for character in word + instead):
        return False
    evidence, word = claim.evidence.evidence, simplified(word)
    pairs = [word[i : i + 2] for i in range(len(word) - 1)]
    return all(pair not in evidence.positions and evidence.background.idf(pair) > RARE_IDF for pair in pairs)


def _finding(claim: Claim, span: Span, theirs: str) -> Finding:
    ours = claim.statement.text[span[0] : span[1]]
    return Finding("aligned", Fault.CONTRADICTED, _REASON[claim.language].format(ours=ours, theirs=theirs), (span,))
