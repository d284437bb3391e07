"""How well ranked lists find what was judged relevant, by `ir-measures`.

Lists are ranked ids, best first, so that ties are already broken the way the product shows them. Queries with judgements and
no list count as having found nothing; lists without judgements do not count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ir_measures
from ir_measures import AP, RR, R, nDCG

from ingest.errors import InputRefused

MEASURES = {
    "recall@1": R @ 1,
    "recall@5": R @ 5,
    "recall@10": R @ 10,
    "mrr@10": RR @ 10,
    "ndcg@10": nDCG @ 10,
    "map": AP,
}

Judgements = Mapping[str, Mapping[str, int]]
"""query id → chunk or passage id → relevance; 0 is judged not relevant."""


def retrieval_metrics(run: Mapping[str, Sequence[str]], judgements: Judgements) -> dict[str, float]:
    """The mean over all judged queries of each of `MEASURES`, in [0, 1]; recall is the share of a query's relevant ids.

    Raises:
        InputRefused: nothing is judged relevant.
    """
    relevant = {query: judged for query, judged in judgements.items() if any(score > 0 for score in judged.values())}
    if not relevant:
        raise InputRefused("no query has a relevant passage: the judgements (qrels) need at least one score above 0")
    scores = {query: {found: -float(rank) for rank, found in enumerate(run.get(query, ()))} for query in relevant}
    totals = dict.fromkeys(MEASURES, 0.0)
    names = {measure: name for name, measure in MEASURES.items()}
    # Summed here: ir-measures leaves out queries whose list is empty.
    for metric in ir_measures.iter_calc(list(MEASURES.values()), relevant, scores):
        totals[names[metric.measure]] += metric.value
    return {name: total / len(relevant) for name, total in totals.items()}
