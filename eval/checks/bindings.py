"""Two things that have changed places: `pumps by 4.2 percent and valves by 2.9`, where the evidence has it the other way round.

The sentence must else follow one statement of the evidence piece by piece. Each of the two stands right before the same words
as the other one there, and a word between them has kept its place, so that a list in another order is no exchange.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from eval.checks.claim import Claim
from eval.checks.finding import Finding
from eval.checks.measures import MEASURES
from eval.checks.tiling import Piece, Token, common_pieces, tokens_of
from eval.types import Fault
from ingest.tokens import STOP_WORDS, is_han

# Of the sentence's words and characters, the share that one statement has to hold in pieces: docs/decisions/0020.
_HELD = 0.75
# Where a lone Chinese character has changed places, next to nothing else may differ.
_HELD_TO_A_CHARACTER = 0.9
# The pairing of pieces grows with the square of a text's length.
_MOST_TOKENS = 120
_MOST_WORDS, _MOST_CHARACTERS = 3, 6
# A mark begins what both are followed by only where a clause follows it: else the two are items of a list.
_CLAUSE = 5
_JOINS = frozenset(", ; : . and or as well 、 ， ； ： 。 和 与 及 或 而 并 为".split())
_SMALL = _JOINS | STOP_WORDS
_REASON = {
    "en": "the evidence has “{first}” and “{second}” the other way round",
    "zh": "依据中“{first}”与“{second}”的位置相反",
}


def check_bindings(claim: Claim) -> Finding | None:
    """Two words or numbers that stand in each other's place."""
    ours = tokens_of(claim.statement)
    if len(ours) > _MOST_TOKENS:
        return None
    for statement in claim.nearest[:1]:
        theirs = tokens_of(statement)
        if len(theirs) > _MOST_TOKENS or claim.statement.folded in statement.folded:
            return None
        pieces = common_pieces([token.term for token in ours], [token.term for token in theirs])
        held = sum(piece.length for piece in pieces) / len(ours)
        if held < _HELD:
            return None
        exchanged = list(_exchanged(pieces, ours, held=held))
        # Two things that come in another order, each with its own value, are no exchange.
        if len(exchanged) != 1 or (not _holds_number(exchanged[0][0], ours) and not _numbers_keep_order(pieces, ours)):
            return None
        spans = tuple((ours[one.ours].start, ours[one.ours + one.length - 1].end) for one in exchanged[0])
        first, second = (claim.statement.text[start:end] for start, end in spans)
        return Finding("bindings", Fault.CONTRADICTED, _REASON[claim.language].format(first=first, second=second), spans)
    return None


def _exchanged(pieces: Sequence[Piece], ours: Sequence[Token], *, held: float) -> Iterator[tuple[Piece, Piece]]:
    for i, first in enumerate(pieces):
        for j in range(i + 2, len(pieces)):
            second, after = pieces[j], pieces[i + 1]
            if (
                second.theirs < first.theirs
                and after.ours == first.ours + first.length
                and after.theirs == second.theirs + second.length
                and (ours[after.ours].term not in _JOINS or after.length >= _CLAUSE)
                and any(_says_something(one, ours) and second.theirs < one.theirs < first.theirs for one in pieces[i + 1 : j])
            ):
                things = [_thing(one, ours, held) for one in (first, second)]
                if things[0] and things[1] and _holds_number(things[0], ours) == _holds_number(things[1], ours):
                    yield things[0], things[1]


def _thing(piece: Piece, ours: Sequence[Token], held: float) -> Piece | None:
    """The piece without small words around it; None where it is a clause, or too little to be a thing of its own."""
    places = [at for at in range(piece.ours, piece.ours + piece.length) if ours[at].term not in _SMALL]
    if not places or len(places) != places[-1] - places[0] + 1:
        return None
    han = is_han(ours[places[0]].term[0])
    if len(places) > (_MOST_CHARACTERS if han else _MOST_WORDS) or (han and len(places) == 1 and held < _HELD_TO_A_CHARACTER):
        return None
    return Piece(places[0], piece.theirs, len(places))


def _holds_number(piece: Piece, ours: Sequence[Token]) -> bool:
    return any(token.term[0].isdigit() for token in ours[piece.ours : piece.ours + piece.length])


def _numbers_keep_order(pieces: Sequence[Piece], ours: Sequence[Token]) -> bool:
    places = [piece.theirs for piece in pieces if _holds_number(piece, ours)]
    return places == sorted(places)


def _says_something(piece: Piece, ours: Sequence[Token]) -> bool:
    """Whether the piece holds a word that is no unit: a label that keeps its place."""
    words = [token.term for token in ours[piece.ours : piece.ours + piece.length]]
    return any(w[0].isalnum() and not w[0].isdigit() and w not in _SMALL and w not in MEASURES for w in words)
