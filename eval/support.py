"""Features of one sentence against the evidence: what of it the evidence does not hold, or holds elsewhere.

`Evidence` is prepared once per answer and read by every sentence. Each feature has a sign that we know it must have:
+1 where more of it can only speak against support, -1 where more of it can only speak for it. The list and its reasons are
in `docs/decisions/0019-the-judge-trained-on-corruptions.md`. This module knows no weights.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property, lru_cache

from eval.framing import content_units, without_frame
from eval.number_readings import DIGITS_OF, joined_sentences
from eval.units import Background, Kind, Unit, read_units, shipped_background
from ingest.errors import InputRefused
from ingest.sentences import sentence_spans
from ingest.tokens import language

SIGNS: dict[str, int] = {
    "missing_numbers": 1,
    "missing_names": 1,
    "substitutions": 1,
    "strange_number_neighbours": 1,
    "uncovered_words": 1,
    "rare_uncovered": 1,
    "longest_uncovered_run": 1,
    "novel_pairs": 1,
    "scattered_pairs": 1,
    "kept_pairs": -1,
    "window_coverage": -1,
    "common_subsequence": -1,
}
"""Name → the sign its weight must have in the probability of being *un*supported."""

# docs/decisions/0004: found on the shared labelled sets.
RARE_IDF = 6.5
SOFT_MATCH = 0.6
# Content words up to so many places apart ought to belong together in the evidence too (docs/decisions/0019).
PAIR_REACH = 5
# From this share on a sentence follows one of the evidence, so that a difference is an exchange and not another wording.
SAME_WORDING = 0.5
# A sentence of evidence that runs longer is read in pieces of this many units (tables without full stops).
SEGMENT_UNITS = 60
# A number's neighbours: content within this many units, here and around the number in the evidence (double).
NEIGHBOUR_UNITS = 4
# Positions of different texts never count as near each other.
_TEXT_GAP = 1000


@dataclass(frozen=True, slots=True)
class Reading:
    """One sentence read against the evidence. `features` follow the order of `SIGNS`; the units point into the sentence.

    `exchanged` stands here in the place of something else, and elsewhere in the evidence. `common_subsequence` is the longest
    one with `best_segment`, the nearest sentence of the evidence, as a share of the sentence.
    """

    features: tuple[float, ...]
    units: tuple[Unit, ...]
    uncovered: tuple[Unit, ...]
    missing_numbers: tuple[Unit, ...]
    exchanged: tuple[Unit, ...]
    common_subsequence: float
    best_segment: str


class Evidence:
    """Texts prepared for reading sentences against them; the question's words count as given where they may.

    What only some sentences ask for is made when the first one does. Many threads may read at once: each would make the same.
    """

    def __init__(self, texts: Sequence[str], *, question: str = "", background: Background | None = None) -> None:
        """Raises InputRefused where the texts hold no word at all."""
        self.background = background or shipped_background()
        self.texts = tuple(texts)
        self.languages = {language(text) for text in texts if text.strip()}
        self.positions: dict[str, list[int]] = {}
        self.segments: list[tuple[Sequence[Unit], str]] = []
        self._segment_starts: list[int] = []
        self._sentences: list[tuple[int, Sequence[Unit]]] = []
        self._segments_of: dict[str, set[int]] = {}
        self._nearest: dict[str, str] = {}
        self._kept: dict[tuple[str, str], float] = {}
        offset = 0
        for text in texts:
            offset = self._read(text, offset)
        if not self.positions:
            raise InputRefused(
                f"No evidence to judge against: {len(texts)} texts without a single word. Give the passages' text."
            )
        self.question_terms = {unit.term for unit in read_units(question)}

    def _read(self, text: str, offset: int) -> int:
        """Reads no more than every sentence asks for; returns the position from which on the next text is read."""
        for sentence in (*(text[start:end] for start, end in segment_spans(text)), *joined_sentences(text)):
            units = read_units(sentence)
            if not units:
                continue
            for first in range(0, len(units), SEGMENT_UNITS):
                self._append_segment(units[first : first + SEGMENT_UNITS], sentence, offset + units[first].position)
            for unit in units:
                self.positions.setdefault(unit.term, []).append(offset + unit.position)
                if unit.term in DIGITS_OF:
                    self.positions.setdefault(DIGITS_OF[unit.term], []).append(offset + unit.position)
            self._sentences.append((offset, units))
            offset += units[-1].position + 2
        for _ in range(3):  # so that no window reaches over two texts
            self._append_segment((), "", offset)
        return offset + _TEXT_GAP

    def _append_segment(self, units: Sequence[Unit], sentence: str, position: int) -> None:
        self._segment_starts.append(position)
        self.segments.append((units, sentence))

    def segments_of(self, term: str) -> set[int]:
        """The numbers of the segments that hold the term."""
        if term not in self._segments_of:
            places = self.positions.get(term, ())
            self._segments_of[term] = {bisect_right(self._segment_starts, place) - 1 for place in places}
        return self._segments_of[term]

    @cached_property
    def _contents(self) -> list[tuple[int, list[Unit]]]:
        """The content of each sentence, with the position from which its own count."""
        return [(offset, content_units(units)) for offset, units in self._sentences]

    @cached_property
    def _pairs(self) -> set[tuple[str, str]]:
        """The content terms that follow each other in a sentence."""
        return {(content[i].term, content[j].term) for _, content in self._contents for i, j in _neighbours(content)}

    @cached_property
    def _placed(self) -> tuple[list[str], list[int]]:
        """The content terms in order, and their positions."""
        placed = [(unit.term, offset + unit.position) for offset, content in self._contents for unit in content]
        return [term for term, _ in placed], [position for _, position in placed]

    @cached_property
    def _words(self) -> list[tuple[str, frozenset[str]]]:
        """The words of the evidence with their character trigrams."""
        return [(known, _trigrams(known)) for known in self.positions if known.isalpha()]

    def term_for(self, unit: Unit) -> str:
        """The term of the evidence that the unit means: the same, else the most similar word; empty where none is like it."""
        if unit.term in self.positions:
            return unit.term
        if unit.kind is not Kind.WORD:
            return ""
        if unit.term not in self._nearest:
            self._nearest[unit.term] = self._most_similar(unit.term)
        return self._nearest[unit.term]

    def _most_similar(self, term: str) -> str:
        """The word of the evidence with the best Dice coefficient of character trigrams; empty below `SOFT_MATCH`."""
        wanted = _trigrams(term)
        alike = ((_dice(wanted, theirs), known) for known, theirs in self._words if not wanted.isdisjoint(theirs))
        best, known = max(alike, default=(0.0, ""))
        return known if best >= SOFT_MATCH else ""

    def read(self, sentence: str) -> Reading:
        """The sentence's features and what the evidence does not hold of it."""
        units = tuple(without_frame(read_units(sentence)))
        content = [unit for unit in units if unit.content]
        weights = [self.background.idf(unit.term) for unit in content]
        found = [self.term_for(unit) for unit in content]
        terms = [term or unit.term for unit, term in zip(content, found, strict=True)]
        known = [bool(term) or unit.term in self.question_terms for unit, term in zip(content, found, strict=True)]
        numbers = [unit for unit in content if unit.kind is Kind.NUMBER]
        missing_numbers = [unit for unit in numbers if unit.term not in self.positions]
        missing_names = [u for u in _names(units) if not self.term_for(u) and u.term not in self.question_terms]
        common, at = self._common_subsequence(units, self._best_window([unit.term for unit in content], weights, 2)[1])
        substitutions = self._substitutions(units, at) if common >= SAME_WORDING else []
        pairs = [(terms[i], terms[j]) for i, j in _neighbours(content)]
        values = {
            "missing_numbers": len(missing_numbers),
            "missing_names": len(missing_names),
            "substitutions": len(substitutions),
            "strange_number_neighbours": self._strange_numbers(content, numbers),
            "uncovered_words": sum(not k for k in known),
            "rare_uncovered": sum(w > RARE_IDF and not k for w, k in zip(weights, known, strict=True)),
            "longest_uncovered_run": _longest_run(found),
            "novel_pairs": sum(pair not in self._pairs and not self._are_asked(pair) for pair in pairs),
            "scattered_pairs": sum(self._are_scattered(*pair) for pair in pairs) / max(1, len(pairs)),
            "kept_pairs": self._kept_pairs(terms, weights),
            "window_coverage": self._best_window(terms, weights, 3)[0] / (sum(weights) or 1.0),
            "common_subsequence": common,
        }
        return Reading(
            tuple(float(values[name]) for name in SIGNS),
            units,
            tuple(unit for unit, k in zip(content, known, strict=True) if not k),
            tuple(missing_numbers),
            tuple(u for put in substitutions if any(u.term in self.positions for u in put) for u in put),
            common,
            self.segments[at][1] if at >= 0 else "",
        )

    def _best_window(self, terms: Sequence[str], weights: Sequence[float], length: int) -> tuple[float, range]:
        """The idf that the best run of `length` segments holds, and the run."""
        gains: dict[int, float] = {}
        for term, weight in zip(terms, weights, strict=True):
            starts = {s - back for s in self.segments_of(term) for back in range(length)}
            for start in starts:
                gains[start] = gains.get(start, 0.0) + weight
        if not gains:
            return 0.0, range(0)
        best = max(gains, key=lambda start: (gains[start], -start))
        return gains[best], range(best, best + length)

    def _are_scattered(self, first: str, second: str) -> bool:
        """Whether the evidence holds both terms, but in no segment together."""
        ours, theirs = self.segments_of(first), self.segments_of(second)
        return bool(ours) and bool(theirs) and not ours & theirs and not self._are_asked((first, second))

    def _are_asked(self, pair: tuple[str, str]) -> bool:
        """Whether the question says both: an answer that repeats it puts nothing together by itself."""
        return self.question_terms.issuperset(pair)

    def _kept_pairs(self, terms: Sequence[str], weights: Sequence[float]) -> float:
        """The share of what stands close together here, by the lesser idf, that a segment of the evidence holds together.

        Segments that follow each other count half. 1 where nothing stands together.
        """
        kept = total = 0.0
        for i, first in enumerate(terms):
            for j in range(i + 1, min(i + 1 + PAIR_REACH, len(terms))):
                if terms[j] != first:
                    weight = min(weights[i], weights[j])
                    total += weight
                    kept += weight * self._togetherness(first, terms[j])
        return kept / total if total else 1.0

    def _togetherness(self, first: str, second: str) -> float:
        """1 where a segment holds both terms, ½ where two do that follow each other, else 0."""
        pair = (first, second)
        if pair not in self._kept:
            ours, theirs = self.segments_of(first), self.segments_of(second)
            if ours & theirs or self._are_asked(pair):
                self._kept[pair] = 1.0
            else:
                self._kept[pair] = 0.5 * any(at + 1 in theirs or at - 1 in theirs for at in ours)
        return self._kept[pair]

    def _common_subsequence(self, units: Sequence[Unit], window: range) -> tuple[float, int]:
        """The longest common subsequence with the best segment of the run, as a share of the sentence; its index, or -1."""
        terms = [unit.term for unit in units]
        best, at = 0.0, -1
        for index in window:
            if 0 <= index < len(self.segments) and self.segments[index][0]:
                theirs = [unit.term for unit in self.segments[index][0]]
                share = _subsequence_length(theirs, terms) / max(1, len(terms))
                if share > best:
                    best, at = share, index
        return best, at

    def _substitutions(self, units: Sequence[Unit], segment: int) -> list[list[Unit]]:
        """Rare words, numbers and names that stand where a segment, which the sentence else follows, has others."""
        theirs = [unit.term for unit in self.segments[segment][0]]
        ours = [unit.term for unit in units]
        held, told = set(theirs), set(ours)
        found = []
        for kind, a, b, c, d in SequenceMatcher(None, theirs, ours, autojunk=False).get_opcodes():
            if kind == "replace" and any(self._weighty(term) and term not in told for term in theirs[a:b]):
                put = [u for u in units[c:d] if u.content and u.term not in held and self._weighty(u.term)]
                if put and not self._stands_so(units, c, d):
                    found.append(put)
        return found

    def _stands_so(self, units: Sequence[Unit], first: int, after: int) -> bool:
        """Whether the evidence has the units of a place beside what stands before or after them here."""
        inside = [unit for unit in units[first:after] if unit.content and unit.kind is not Kind.HAN]
        before = next((unit for unit in reversed(units[:first]) if unit.content), None)
        behind = next((unit for unit in units[after:] if unit.content), None)
        return bool(inside) and any(
            one is not None and other is not None and (one.term, other.term) in self._pairs
            for one, other in ((before, inside[0]), (inside[-1], behind))
        )

    def _weighty(self, term: str) -> bool:
        return term[0].isdigit() or self.background.idf(term) > RARE_IDF

    def _strange_numbers(self, content: Sequence[Unit], numbers: Sequence[Unit]) -> int:
        """How many numbers the evidence holds, but never beside any of the words that stand beside them here."""
        strange = 0
        for number in numbers:
            places = self.positions.get(number.term)
            if not places:
                continue
            here = {u.term for u in content if u is not number and abs(u.position - number.position) <= NEIGHBOUR_UNITS}
            if here:
                strange += not any(here & self._around(place) for place in places)
        return strange

    def _around(self, place: int) -> set[str]:
        terms, positions = self._placed
        low = bisect_left(positions, place - 2 * NEIGHBOUR_UNITS)
        high = bisect_right(positions, place + 2 * NEIGHBOUR_UNITS)
        return {terms[i] for i in range(low, high) if positions[i] != place}


def segment_spans(text: str) -> list[tuple[int, int]]:
    """The sentences of a text, and its table rows (lines with ` | `) one by one."""
    spans: list[tuple[int, int]] = []
    for start, end in sentence_spans(text):
        if " | " not in text[start:end]:
            spans.append((start, end))
            continue
        at = start
        for line in text[start:end].splitlines(keepends=True):
            if line.strip():
                spans.append((at, at + len(line.rstrip())))
            at += len(line)
    return spans


def _names(units: Sequence[Unit]) -> list[Unit]:
    """Capitalised words that do not open the sentence, and codes; none of the words where nearly all are capitalised."""
    words = [unit for unit in units if unit.kind is Kind.WORD and unit.content]
    capitals = sum(unit.name for unit in words)
    headline = len(words) > 3 and capitals > 0.8 * len(words)
    return [unit for i, unit in enumerate(units) if unit.name and (unit.kind is Kind.CODE or (i > 0 and not headline))]


def _neighbours(content: Sequence[Unit]) -> Iterable[tuple[int, int]]:
    """The places of content units that follow each other; for Chinese pairs the next one that shares no character."""
    for i, first in enumerate(content[:-1]):
        yield i, i + 2 if content[i + 1].start < first.end and i + 2 < len(content) else i + 1


def _longest_run(found: Sequence[str]) -> int:
    """The most units in a row that the evidence does not hold."""
    longest = run = 0
    for term in found:
        run = 0 if term else run + 1
        longest = max(longest, run)
    return longest


def _subsequence_length(first: Sequence[str], second: Sequence[str]) -> int:
    """The length of the longest common subsequence, bit by bit (Hyyrö 2004): a step a term of `second`."""
    masks: dict[str, int] = {}
    for i, term in enumerate(first):
        masks[term] = masks.get(term, 0) | (1 << i)
    full = (1 << len(first)) - 1
    row = full
    for term in second:
        matched = row & masks.get(term, 0)
        row = ((row + matched) | (row - matched)) & full
    return len(first) - row.bit_count()


def likeness(first: str, second: str) -> float:
    """The Dice coefficient of the character trigrams of two words, in [0, 1]."""
    return _dice(_trigrams(first), _trigrams(second))


def _dice(one: frozenset[str], other: frozenset[str]) -> float:
    return 2 * len(one & other) / (len(one) + len(other))


@lru_cache(maxsize=100_000)
def _trigrams(term: str) -> frozenset[str]:
    marked = f"<{term}>"
    return frozenset(marked[i : i + 3] for i in range(len(marked) - 2))
