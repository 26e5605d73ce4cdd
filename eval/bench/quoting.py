"""`python -m eval.bench.quoting SUITE [--set KEY=VALUE ...]`: which sentences of the evidence hold the key facts?

Fits the weights of `rag/worth.py` to the `fact` questions of a suite, asked of the index that the settings name, and
tells how well they do on questions that they were not fitted to (ten folds, drawn by place). A sentence is to be quoted
if its paper is gold and it has a key fact in one of its wordings.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from eval.datasets import load_suite
from eval.metrics.answers import nugget_recall
from eval.records import Kind, Question
from rag.build import Engine
from rag.config import load_config
from rag.console import key_value
from rag.evidence import rank_evidence
from rag.identity import normalise_title
from rag.records import Evidence
from rag.worth import FEATURES, features

FOLDS = 10
Row = tuple[Question, list[Evidence], list[int], np.ndarray, np.ndarray]


def rows(engine: Engine, questions: Sequence[Question]) -> list[Row]:
    """For each question: its evidence, the places of the best paper's sentences, their features and labels."""
    found = []
    config, idf = engine.config, engine.files.lexical.idf
    for question in questions:
        searched = engine.retriever.search(question.question)
        hits = engine.judge.reader.pointed(question.question, searched).hits
        chosen = rank_evidence(question.question, hits, idf, config.evidence_sentences)
        _, evidence = engine.answerer.writer.prompt.fit(
            question.question, chosen, engine.llm.count_tokens, evidence_tokens=config.evidence_tokens,
            prompt_tokens=config.context_tokens - config.answer_tokens,
        )  # fmt: skip
        lengths = {hit.key: len(hit.sentences) for hit in hits}
        every = features(question.question, evidence, lengths, idf)
        places = [place for place, row in enumerate(every) if row]
        gold = {normalise_title(title) for title in question.gold} | set(question.gold)
        labels = [
            float(
                (normalise_title(evidence[place].title) in gold or evidence[place].key in gold)
                and bool(nugget_recall(evidence[place].sentence.text, question.nuggets))
            )
            for place in places
        ]
        found.append((question, evidence, places, np.array([every[place] for place in places]), np.array(labels)))
    return found


def fit(given: Sequence[Row]) -> np.ndarray:
    """Weights and constant of a logistic model by Newton's method, the weights held down by half their squares."""
    x = np.vstack([np.column_stack([row[3], np.ones(len(row[3]))]) for row in given])
    y = np.concatenate([row[4] for row in given])
    weights = np.zeros(x.shape[1])
    penalty = np.eye(x.shape[1])
    penalty[-1, -1] = 0.0
    for _ in range(50):
        p = 1 / (1 + np.exp(-x @ weights))
        gradient = x.T @ (p - y) + penalty @ weights
        weights -= np.linalg.solve(x.T @ (x * (p * (1 - p))[:, None]) + penalty, gradient)
    return weights


def predict(row: Row, weights: np.ndarray) -> np.ndarray:
    """How likely each sentence of the best paper is to be quoted rightly."""
    return np.asarray(1 / (1 + np.exp(-(row[3] @ weights[:-1] + weights[-1]))))


def auroc(row: Row, scores: np.ndarray) -> float | None:
    """Of the pairs of a right and a wrong sentence of one question, the share in the right order."""
    right, wrong = scores[row[4] == 1], scores[row[4] == 0]
    if not len(right) or not len(wrong):
        return None
    return float(((right[:, None] > wrong).mean() + (right[:, None] >= wrong).mean()) / 2)


def main() -> None:
    """Fit, cross-validate, print."""
    parser = argparse.ArgumentParser(prog="python -m eval.bench.quoting", description=__doc__)
    parser.add_argument("suite", type=str)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    args = parser.parse_args()
    config = load_config(overrides=dict(key_value(item, "--set") for item in args.set))
    suite = load_suite(args.suite, home=Path(config.home).expanduser(), options={}, corpus=[])
    with Engine(config) as engine:
        given = rows(engine, [q for q in suite.questions if q.kind is Kind.FACT and q.nuggets])
    scores: list[np.ndarray] = [np.zeros(0)] * len(given)
    for fold in range(FOLDS):
        weights = fit([row for place, row in enumerate(given) if place % FOLDS != fold])
        for place in range(fold, len(given), FOLDS):
            scores[place] = predict(given[place], weights)
    by_ranking = [np.array([row[1][place].score for place in row[2]]) for row in given]
    for name, values in (("ranking", by_ranking), ("model, cross-validated", scores)):
        known = [a for row, value in zip(given, values, strict=True) if (a := auroc(row, value)) is not None]
        print(f"{name}: AUROC within a question {np.mean(known):.3f} (n {len(known)})")
    for limit in (0.04, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3):
        recalls, counts = [], []
        for (question, evidence, places, _, _), value in zip(given, scores, strict=True):
            order = np.argsort(-value)[:4]
            kept = [evidence[places[i]] for rank, i in enumerate(order) if rank == 0 or value[i] >= limit]
            recalls.append(nugget_recall(" ".join(item.sentence.text for item in kept), question.nuggets) or 0.0)
            counts.append(len(kept))
        print(f"from {limit}: key facts {np.mean(recalls):.3f}, sentences {np.mean(counts):.2f}")
    weights = fit(given)
    print("weights:", ", ".join(f"{name} {weight:.2f}" for name, weight in zip(FEATURES, weights, strict=False)))
    print(f"constant: {weights[-1]:.2f}")


if __name__ == "__main__":
    main()
