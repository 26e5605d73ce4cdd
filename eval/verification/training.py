"""Cases -> signals -> a logistic model."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from eval.verification.claims import Case, Study
from rag.checking import Verifier, Weights
from rag.terms import terms
from rag.verification import Idf

# Strength of the ridge on the weights of standardised signals.
_RIDGE = 10.0
_STEPS = 100


@dataclass(frozen=True)
class Seen:
    """A case with its signals. Whether it stands `word_by_word` in its evidence; `supported`: and no rule objects."""

    case: Case
    signals: Mapping[str, float]
    word_by_word: bool
    supported: bool


def sample_idf(studies: Sequence[Study]) -> Idf:
    """How rare each word is in the papers of the sample, by the formula that the lexical index uses."""
    held = Counter(term for study in studies for term in set(terms(" ".join((study.title, *study.sentences)))))
    total = len(studies)
    return lambda words: {word: math.log(1 + (total - held[word] + 0.5) / (held[word] + 0.5)) for word in words}


def look(cases: Sequence[Case], idf: Idf) -> list[Seen]:
    """The signals of each case, and what the check says of it."""
    verifier = Verifier(idf, Weights(0.0, {}))
    seen = []
    for case in cases:
        signals = verifier.signals(case.claim, case.evidence)
        word_by_word = not verifier.extractive(case.claim, case.evidence)[1]
        seen.append(Seen(case, signals, word_by_word, bool(signals["supported"])))
    return seen


def fit(seen: Sequence[Seen]) -> Weights:
    """Logistic regression by Newton's method with a ridge, all true and all false weighing the same together."""
    names = list(seen[0].signals)
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
    return Weights(round(float(beta[0] - own @ centre), 4), weights)
