"""How well the gold papers are ranked, by ir_measures (pytrec_eval underneath).

Relevance is a grade of 1 or more. Success@1, R@k, RR@10 and AP take every such grade as relevant; nDCG@10 takes the
grade as the gain (Jarvelin & Kekalainen 2002, in trec_eval's form: gain over log2 of rank + 1). A gold paper that is
not in the index counts as relevant and not found.
"""

from collections.abc import Iterable

import ir_measures
from ir_measures import AP, RR, R, Success, nDCG

from eval.records import Record
from eval.trec import falling_scores, gold_key

_MEASURES = {
    "Success@1": Success @ 1,
    "R@5": R @ 5,
    "R@10": R @ 10,
    "R@100": R @ 100,
    "nDCG@10": nDCG @ 10,
    "RR@10": RR @ 10,
    "AP": AP,
}
NAMES = tuple(_MEASURES)
RECALL_DEPTHS = (1, 2, 3, 5, 10, 20, 50, 100)


def ranking_scores(records: Iterable[Record]) -> dict[str, dict[str, float]]:
    """`question id -> measure -> value` for the questions with gold papers; 0 where nothing was retrieved."""
    judged = [record for record in records if record.gold]
    if not judged:
        return {}
    names = {measure: name for name, measure in _MEASURES.items()}
    scores = {record.question.id: dict.fromkeys(NAMES, 0.0) for record in judged}
    for value in ir_measures.iter_calc(list(names), list(_qrels(judged)), list(_run(judged))):
        scores[value.query_id][names[value.measure]] = float(value.value)
    return scores


def recall_by_depth(records: Iterable[Record]) -> dict[str, dict[int, float]]:
    """`question id -> k -> recall in the first k papers`, for each k of `RECALL_DEPTHS` and questions with gold."""
    judged = [record for record in records if record.gold]
    if not judged:
        return {}
    depths = {R @ depth: depth for depth in RECALL_DEPTHS}
    curves = {record.question.id: dict.fromkeys(RECALL_DEPTHS, 0.0) for record in judged}
    for value in ir_measures.iter_calc(list(depths), list(_qrels(judged)), list(_run(judged))):
        curves[value.query_id][depths[value.measure]] = float(value.value)
    return curves


def _qrels(records: Iterable[Record]) -> Iterable[ir_measures.Qrel]:
    for record in records:
        for gold in record.gold:
            yield ir_measures.Qrel(record.question.id, gold_key(gold.key, gold.title), gold.grade)


def _run(records: Iterable[Record]) -> Iterable[ir_measures.ScoredDoc]:
    for record in records:
        scores = falling_scores([item.score for item in record.ranking])
        for item, score in zip(record.ranking, scores, strict=True):
            yield ir_measures.ScoredDoc(record.question.id, item.key, score)
