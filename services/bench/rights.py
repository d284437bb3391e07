"""Wrong-rights leaks: what callers get of documents that they may not read. There must be none.

Two kinds of callers are tried: the administrator's requests narrowed to some groups, and holders of real keys. Every place
where a document could show is looked at: hits, nearest passages, citations, annotations, the words of the answer, and the
endpoints of documents, files, page images and jobs, which must answer as for a document that does not exist.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

from eval.metrics.text import holds_key_fact
from eval.types import Case, Style
from ingest.errors import GraftError
from ingest.types import EVERYONE, Access
from services.bench.clock import Deadline, Progress
from services.bench.serving import Served
from services.commands.questions import answer_to

_DEPTH = 100
"""As many hits as a search may ask for."""


@dataclass(slots=True)
class Leaks:
    """How often was looked, by where, and every leak that was seen."""

    looked: Counter[str] = field(default_factory=Counter)
    found: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    complete: bool = True

    def at(self, where: str, *, case: str, shown: Iterable[Mapping[str, Any]], forbidden: Collection[str]) -> None:
        """Looks at hits, citations or documents."""
        self.looked[where] += 1
        self.found += [f"{where}, {case}: {one['document']}" for one in shown if one["document"] in forbidden]

    def at_answer(self, where: str, answer: Mapping[str, Any], *, case: Case, forbidden: Collection[str]) -> None:
        """Looks at every part of an answer."""
        self.at(where, case=case.id, shown=[*answer["nearest"], *answer["citations"]], forbidden=forbidden)
        self.at_words(where, " ".join(sentence["text"] for sentence in answer["sentences"]), case=case, forbidden=forbidden)

    def at_words(self, where: str, words: str, *, case: Case, forbidden: Collection[str]) -> None:
        """What is said leaks where it holds the key fact of a document that is forbidden: no other document holds it."""
        if {page.document for page in case.gold} & set(forbidden) and holds_key_fact(words, case.answers):
            self.found.append(f"{where}, {case.id}, in words: {words}")

    def report(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "leaks": len(self.found),
            "looks": self.looked.total(),
            "looks_by_place": dict(self.looked),
            "found": self.found,
            "failed": self.failed,
            "complete": self.complete,
        }


def forbidden_to(groups: Collection[str], carried: Mapping[str, Sequence[str]]) -> set[str]:
    """The restricted documents that holders of these groups may not read."""
    access = Access.of(*groups)
    return {document for document, needed in carried.items() if not access.permits(needed)}


def callers_without(carried: Mapping[str, Sequence[str]]) -> list[tuple[str, ...]]:
    """Those who may not read something: holders of no group, and of every single group."""
    singles = {name for names in carried.values() for name in names}
    return [(EVERYONE,), *((name,) for name in sorted(singles) if forbidden_to([name], carried))]


def look_for_leaks(
    server: Served,
    cases: Sequence[Case],
    *,
    carried: Mapping[str, Sequence[str]],
    jobs: Mapping[str, str],
    styles: Sequence[Style],
    deadline: Deadline,
    progress: Progress,
) -> dict[str, Any]:
    """Every look and every leak. `carried` holds the groups of the restricted documents, `jobs` the job of each document."""
    leaks = Leaks()
    for caller in callers_without(carried):
        progress.say(f"  as a holder of {caller[0]}")
        forbidden = forbidden_to(caller, carried)
        _endpoints(server, leaks, caller, forbidden, jobs)
        for case in cases:
            # What the model is given was found with these rights, so it is asked on behalf of those who have the fewest.
            tempting = caller == (EVERYONE,) and bool({page.document for page in case.gold} & forbidden)
            if deadline.passed:
                leaks.complete = False
                break
            try:
                _narrowed(server, leaks, case, caller, forbidden, styles if tempting else [Style.QUOTES])
            except GraftError as error:
                leaks.failed.append(f"{case.id} as {caller[0]}: {error}")
        _with_key(server, leaks, [case for case in cases if forbidden & {page.document for page in case.gold}], caller, carried)
    return leaks.report()


def _narrowed(
    server: Served, leaks: Leaks, case: Case, caller: tuple[str, ...], forbidden: set[str], styles: Sequence[Style]
) -> None:
    """The case's question, searched and asked with the rights of these groups only."""
    request = {"query": case.question, "limit": _DEPTH, "groups": list(caller)}
    hits = server.client.call("POST", "/api/search", json=request)["hits"]
    leaks.at("search", case=case.id, shown=hits, forbidden=forbidden)
    for style in styles:
        answer = answer_to(server.client, case.question, style=style, groups=list(caller))
        leaks.at_answer(f"ask, {style}", answer, case=case, forbidden=forbidden)


def _with_key(
    server: Served, leaks: Leaks, cases: Sequence[Case], caller: tuple[str, ...], carried: Mapping[str, Sequence[str]]
) -> None:
    """The questions by the holder of a key, who also asks for groups that the key does not hold."""
    forbidden = forbidden_to(caller, carried)
    wanted = sorted({name for names in carried.values() for name in names})
    with server.holder(_key(server, caller)) as http:
        for case in cases:
            asked = {"question": case.question, "style": Style.QUOTES, "stream": False, "groups": wanted}
            answer = http.post("/api/ask", json=asked).raise_for_status().json()
            leaks.at_answer("ask, key that wants more", answer, case=case, forbidden=forbidden)
            found = http.post("/api/search", json={"query": case.question, "limit": _DEPTH}).raise_for_status().json()
            leaks.at("search, key", case=case.id, shown=found["hits"], forbidden=forbidden)
            message = {"role": "user", "content": case.question}
            body = {"model": "graft-rag", "messages": [message], "style": Style.QUOTES}
            reply = http.post("/v1/chat/completions", json=body).raise_for_status().json()["choices"][0]["message"]
            shown = [annotation["graft"] for annotation in reply["annotations"]]
            leaks.at("/v1", case=case.id, shown=shown, forbidden=forbidden)
            leaks.at_words("/v1", reply["content"], case=case, forbidden=forbidden)


def _endpoints(server: Served, leaks: Leaks, caller: tuple[str, ...], forbidden: set[str], jobs: Mapping[str, str]) -> None:
    """The endpoints that show one document answer the holder of a key as if it were not there."""
    known = {one["document"]: one["document_id"] for one in server.client.call("GET", "/api/documents")["documents"]}
    with server.holder(_key(server, caller)) as http:
        listed = http.get("/api/documents").raise_for_status().json()["documents"]
        leaks.at("document list", case=caller[0], shown=listed, forbidden=forbidden)
        for document in sorted(forbidden):
            for place in ("documents/{}", "documents/{}/file", "documents/{}/pages/1.png"):
                _same_as_absent(http, leaks, f"/api/{place}", known[document], document)
            _same_as_absent(http, leaks, "/api/jobs/{}", jobs[document], document)


def _same_as_absent(http: httpx.Client, leaks: Leaks, place: str, identity: str, document: str) -> None:
    absent_id = uuid4().hex
    answer, absent = http.get(place.format(identity)), http.get(place.format(absent_id))
    leaks.looked[place.format("…")] += 1
    same = answer.status_code == absent.status_code and answer.text.replace(identity, "") == absent.text.replace(absent_id, "")
    if answer.status_code != httpx.codes.NOT_FOUND or not same:
        leaks.found.append(f"{place.format('…')}, {document}: {answer.status_code} {answer.text[:100]!r}")


def _key(server: Served, groups: tuple[str, ...]) -> str:
    body = {"name": f"bench {groups[0]}", "groups": list(groups)}
    secret: str = server.client.call("POST", "/api/keys", json=body)["secret"]
    return secret
