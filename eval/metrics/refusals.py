"""Can the refusal score be trusted? Pure functions over parallel arrays: a score (higher: refuse) and a truth.

`unanswerable` says that no paper answers the question; `wrong` says that answering it was, or would be, a mistake.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def auroc(scores: Floats, unanswerable: Bools) -> float:
    """Chance that an unanswerable question scores higher than an answerable one, ties half; nan with one class only."""
    if unanswerable.all() or not unanswerable.any():
        return float("nan")
    ranks = rankdata(scores)[unanswerable]
    n = len(ranks)
    # Mann & Whitney's U over the number of pairs.
    return float((ranks.sum() - n * (n + 1) / 2) / (n * (len(scores) - n)))


def risk_coverage(scores: Floats, wrong: Bools) -> tuple[Floats, Floats]:
    """Coverage and risk when the k questions of the lowest score are answered, k = 1..n (El-Yaniv & Wiener 2010).

    Coverage is k / n, risk the share of wrong ones among the k. Within a tie of scores, each question is as wrong as
    the tie is on average, so that the order of the questions does not matter.
    """
    order = np.argsort(scores, kind="stable")
    _, tie = np.unique(scores[order], return_inverse=True)
    mistakes = wrong[order].astype(float)
    averaged = np.bincount(tie, mistakes)[tie] / np.bincount(tie)[tie]
    answered = np.arange(1, len(scores) + 1)
    return answered / len(scores), np.cumsum(averaged) / answered


def area_under_risk_coverage(scores: Floats, wrong: Bools) -> float:
    """Mean risk over all coverages (AURC, Geifman & El-Yaniv 2017); lower is better."""
    return float(risk_coverage(scores, wrong)[1].mean()) if len(scores) else float("nan")


def coverage_at_refusal(scores: Floats, unanswerable: Bools, share: float = 0.9) -> float:
    """Share of answerable questions still answered by the threshold that refuses at least `share` of the others."""
    none = np.sort(scores[unanswerable])
    if not len(none) or unanswerable.all():
        return float("nan")
    # Refused is what scores at least the threshold: the lowest of the ceil(share * n) highest scores.
    threshold = none[len(none) - int(np.ceil(share * len(none) - 1e-9))]
    return float((scores[~unanswerable] < threshold).mean())


@dataclass(frozen=True)
class Bin:
    """A bin of the confidence: its mean, the share of answerable questions in it, and how many questions it holds."""

    confidence: float
    answerable: float
    n: int


def calibration(confidence: Floats, unanswerable: Bools, bins: int = 8) -> list[Bin]:
    """Bins of about equal size by confidence, lowest first."""
    parts = [part for part in np.array_split(np.argsort(confidence, kind="stable"), bins) if len(part)]
    return [Bin(float(confidence[part].mean()), float((~unanswerable[part]).mean()), len(part)) for part in parts]
