"""How far to trust a mean: bootstrap intervals, a paired randomisation test, Holm's correction. By scipy."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]
_RESAMPLES = 2_000
_PERMUTATIONS = 10_000
_SEED = 0
_BATCH = 500  # resamples held in memory at a time


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95% interval and the number of cases it is from."""

    value: float
    low: float
    high: float
    n: int


def estimate(statistic: Callable[..., object], *samples: Sequence[float] | Floats) -> Estimate:
    """`statistic` of parallel samples, with its percentile bootstrap interval (Efron & Tibshirani 1993), paired.

    `statistic` takes the arrays and `axis`. The interval is the value itself where nothing varies, or n is below 2.
    """
    arrays = [np.asarray(sample, dtype=float) for sample in samples]
    n = len(arrays[0])
    if n == 0:
        return Estimate(float("nan"), float("nan"), float("nan"), 0)
    value = float(np.asarray(statistic(*arrays, axis=-1)))
    if n < 2 or all((array == array[0]).all() for array in arrays):
        return Estimate(value, value, value, n)
    with np.errstate(all="ignore"):
        interval = stats.bootstrap(
            arrays, statistic, paired=True, vectorized=True, method="percentile", n_resamples=_RESAMPLES,
            batch=_BATCH, rng=np.random.default_rng(_SEED),
        ).confidence_interval  # fmt: skip
    return Estimate(value, float(interval.low), float(interval.high), n)


def mean(values: Sequence[float] | Floats) -> Estimate:
    """The mean with its interval: a macro mean when the values are of questions.

    Where all values are 0, or all 1, resampling shows no spread: the interval is then the exact binomial one (Clopper &
    Pearson 1934), so that four of four reads .40 to 1.
    """
    return _exact_at_the_ends(estimate(np.mean, values))


def _exact_at_the_ends(found: Estimate) -> Estimate:
    if found.n == 0 or found.low != found.high or found.value not in (0.0, 1.0):
        return found
    exact = stats.binomtest(round(found.value * found.n), found.n).proportion_ci()
    return Estimate(found.value, float(exact.low), float(exact.high), found.n)


def ratio(parts: Sequence[float], wholes: Sequence[float]) -> Estimate:
    """Sum of the parts over sum of the wholes: a micro mean. n counts the wholes; nan where there are none."""
    pairs = [(part, whole) for part, whole in zip(parts, wholes, strict=True) if whole]
    if not pairs:
        return Estimate(float("nan"), float("nan"), float("nan"), 0)

    def quotient(part: Floats, whole: Floats, axis: int) -> Floats:
        return np.asarray(np.sum(part, axis=axis) / np.sum(whole, axis=axis))

    found = estimate(quotient, *zip(*pairs, strict=True))
    if found.value in (0.0, 1.0):
        # Cases of different size with the same share: no spread either.
        found = Estimate(found.value, found.value, found.value, found.n)
    return _exact_at_the_ends(Estimate(found.value, found.low, found.high, int(sum(wholes))))


def quantile(values: Sequence[float], share: float) -> Estimate:
    """The quantile at `share` (0..1) with its interval."""
    return estimate(lambda sample, axis: np.quantile(sample, share, axis=axis), values)


def resampled(statistic: Callable[..., float], *samples: Floats) -> Estimate:
    """As `estimate`, for a statistic of whole arrays that does not work along an axis, such as AUROC."""
    value = statistic(*samples)
    n = len(samples[0])
    if n < 2 or not np.isfinite(value):
        return Estimate(value, value, value, n)
    rng = np.random.default_rng(_SEED)
    draws = (rng.integers(0, n, n) for _ in range(_RESAMPLES))
    values = [statistic(*(sample[draw] for sample in samples)) for draw in draws]
    values = [one for one in values if np.isfinite(one)] or [value]
    low, high = np.quantile(values, (0.025, 0.975))
    return Estimate(value, float(low), float(high), n)


def paired_p(a: Sequence[float], b: Sequence[float]) -> float:
    """Two-sided p of the mean of b - a by random swaps within the pairs (Smucker et al. 2007), exact for few pairs."""
    difference = np.asarray(b, dtype=float) - np.asarray(a, dtype=float)
    difference = difference[difference != 0]  # A tie is the same either way round.
    if len(difference) < 2:
        return 1.0  # Swapping one pair gives the same size of difference.
    return float(
        stats.permutation_test(
            (difference,), np.mean, permutation_type="samples", vectorized=True, n_resamples=_PERMUTATIONS,
            batch=_BATCH, rng=np.random.default_rng(_SEED),
        ).pvalue
    )  # fmt: skip


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """P values corrected for their number by Holm's step-down method (1979)."""
    corrected: dict[str, float] = {}
    running = 0.0
    ordered = sorted(p_values.items(), key=lambda item: item[1])
    for rank, (name, p) in enumerate(ordered):
        running = max(running, min(1.0, p * (len(ordered) - rank)))
        corrected[name] = running
    return {name: corrected[name] for name in p_values}
