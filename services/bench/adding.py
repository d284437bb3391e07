"""Documents and pages a second of adding, beside a plain peer in the same run: PyMuPDF that only takes the text out.

The peer does no more than open a file and read its pages' text: no isolation, tables, chunks, vectors, index or rights. The
ratio says what all of that costs; the absolute figures depend on the machine and on what else it does.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pymupdf

from eval import sample_corpus
from ingest.errors import GraftError
from services.bench.clock import Deadline
from services.client import Client
from services.commands.adding import submit
from services.folders import Given

_POLL_S = 0.1
_PEER_ROUNDS = 3


def add_sample_corpus(client: Client, deadline: Deadline) -> dict[str, Any]:
    """What `add_files` tells of the sample corpus.

    Raises:
        GraftError: a document of it could not be added in time.
    """
    groups = sample_corpus.document_groups()
    for name in sorted({name for names in groups.values() for name in names}):
        client.call("POST", "/api/groups", json={"name": name})
    added = add_files(client, sorted(sample_corpus.PDF_DIR.glob("*.pdf")), groups=groups, deadline=deadline)
    if added["failed"]:
        name, reason = next(iter(added["failed"].items()))
        raise GraftError(f"the sample corpus could not be added: {name}: {reason}")
    return added


def add_files(
    client: Client, paths: Sequence[Path], *, groups: Mapping[str, Sequence[str]], deadline: Deadline
) -> dict[str, Any]:
    """Counts, seconds until the last file could be searched, pages a second of the product and of the peer, their ratio.

    By name, `jobs` holds the job of each document, and `failed` why one was not added.
    """
    began = time.monotonic()
    jobs = [submit(client, Given(path.name, path), list(groups.get(path.name, ()))) for path in paths]
    ended = [_ended(client, job, deadline) for job in jobs]
    seconds = time.monotonic() - began
    added = [job for job in ended if job["outcome"] in ("added", "unchanged")]
    pages = sum(job["pages_total"] for job in added)
    names = {job["document"] for job in added}
    peer = _peer_pages_per_s([path for path in paths if path.name in names])
    return {
        "documents": len(added),
        "pages": pages,
        "seconds": round(seconds, 1),
        "documents_per_s": round(len(added) / seconds, 2),
        "pages_per_s": round(pages / seconds, 2),
        "peer_pages_per_s": round(peer, 1),
        "share_of_peer": round(pages / seconds / peer, 4) if peer else None,
        "failed": {job["document"]: job["error"] or "not in time" for job in ended if job["document"] not in names},
        "jobs": {job["document"]: job["job_id"] for job in ended},
    }


def _ended(client: Client, job: dict[str, Any], deadline: Deadline) -> dict[str, Any]:
    while job["status"] in ("queued", "running") and not deadline.passed:
        time.sleep(_POLL_S)
        job = client.call("GET", f"/api/jobs/{job['job_id']}")
    return job


def _peer_pages_per_s(paths: Sequence[Path]) -> float:
    rates = []
    for _ in range(_PEER_ROUNDS):
        began, pages = time.monotonic(), 0
        for path in paths:
            with pymupdf.open(path) as document:
                pages += sum(1 for page in document if page.get_text() is not None)
        rates.append(pages / (time.monotonic() - began))
    return statistics.median(rates)
