"""Cases -> signals -> a logistic model and its threshold."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from eval.verification.claims import Case, Study
from rag.checking import Verifier, Weights
from rag.records import Embedder
from rag.terms import terms
from rag.verification import Idf

# Strength of the ridge on the weights of standardised signals.
_RIDGE = 1.0
_STEPS = 100
# Share of false claims that free sentences above the threshold may make up, on the papers that it is chosen on.
ACCEPTED_FALSE = 0.005


@dataclass(frozen=True)
class Seen:
    """A case with its signals; whether it is `extractive`, passing word by word, and `free` to pass by probability."""

    case: Case
    signals: Mapping[str, float]
    extractive: bool
    free: bool


def sample_idf(studies: Sequence[Study]) -> Idf:
    """How rare each word is in the papers of the sample, by the formula that the lexical index uses."""
    held = Counter(term for study in studies for term in set(terms(" ".join((study.title, *study.sentences)))))
    total = len(studies)
    return lambda words: {word: math.log(1 + (total - held[word] + 0.5) / (held[word] + 0.5)) for word in words}


def look(cases: Sequence[Case], idf: Idf, embedder: Embedder | None) -> list[Seen]:
    """The signals of each case."""
    verifier = Verifier(idf, embedder, Weights(0.0, {}, 0.0))
    if embedder is not None:
        verifier.embed([text for case in cases for text in (case.claim, *case.evidence)])
    seen = []
    for case in cases:
        extractive = verifier.extractive(case.claim, case.evidence) is not None
        free = not extractive and not verifier.check(case.claim, case.evidence).objection
        seen.append(Seen(case, verifier.signals(case.claim, case.evidence, extractive=extractive), extractive, free))
    return seen


def train(seen: Sequence[Seen]) -> Weights:
    """Weights, and the threshold at which so few false claims pass as `ACCEPTED_FALSE` allows."""
    weights = _fit(seen, list(seen[0].signals))
    false = [one for one in seen if not one.case.true]
    passing = sorted((weights.probability(one.signals) for one in false if one.free), reverse=True)
    allowed = int(ACCEPTED_FALSE * len(false))
    # Just above the first that is one too many.
    threshold = passing[allowed] + 1e-4 if allowed < len(passing) else 0.5
    return replace(weights, threshold=round(max(0.5, threshold), 4))


def _fit(seen: Sequence[Seen], names: Sequence[str]) -> Weights:
    """Logistic regression by Newton's method with a ridge, all true and all false weighing the same together."""
    x = np.array([[one.signals[name] for name in names] for one in seen])
    y = np.array([float(one.case.true) for one in seen])
    centre, spread = x.mean(axis=0), x.std(axis=0)
    varies = spread > 1e-6
    z = np.column_stack([np.ones(len(x)), (x - centre)[:, varies] / spread[varies]])
    share = np.where(y > 0, 0.5 / y.sum(), 0.5 / (1 - y).sum()) * len(y)
    ridge = np.full(z.shape[1], _RIDGE)
    ridge[0] = 0.0
    beta = np.zeros(z.shape[1])
    for _ in range(_STEPS):
        p = 1 / (1 + np.exp(-z @ beta))
        gradient = z.T @ (share * (y - p)) - ridge * beta
        step = np.linalg.solve((z * (share * p * (1 - p))[:, None]).T @ z + np.diag(ridge + 1e-9), gradient)
        beta += step
        if np.abs(step).max() < 1e-10:
            break
    own = np.zeros(len(names))
    own[varies] = beta[1:] / spread[varies]
    weights = {name: round(float(weight), 4) for name, weight in zip(names, own, strict=True) if weight}
    return Weights(round(float(beta[0] - own @ centre), 4), weights, 0.5)
