"""Score fusion: several rankings of the same things -> one. Pure."""

from collections.abc import Collection, Hashable, Mapping
from typing import TypeVar

# Papers, best first, with their scores and what these were fused from.
Fused = list[tuple[int, float, dict[str, float]]]
Id = TypeVar("Id", bound=Hashable)


def min_max(scores: Mapping[Id, float]) -> dict[Id, float]:
    """Scores moved and scaled to 0..1 (Lee 1997); all 1 where they do not differ."""
    if not scores:
        return {}
    low, high = min(scores.values()), max(scores.values())
    if high == low:
        return dict.fromkeys(scores, 1.0)
    return {key: (score - low) / (high - low) for key, score in scores.items()}


def share_of_best(scores: Mapping[Id, float]) -> dict[Id, float]:
    """Scores as shares of the best: for a list that is cut off, whose last is not the worst there is."""
    best = max(scores.values(), default=0.0)
    return {key: max(0.0, score) / best if best > 0 else 0.0 for key, score in scores.items()}


def fuse(
    rankings: Mapping[str, Mapping[Id, float]], weights: Mapping[str, float], cut_off: Collection[str] = ()
) -> list[tuple[Id, float, dict[str, float]]]:
    """Weighted sum of scaled scores (CombSUM, Fox & Shaw 1994): `(id, score, parts)`, best first.

    Rankings are scaled by `min_max`, those whose names are in `cut_off` by `share_of_best`. What a ranking does not
    hold scores 0 in it. Parts are the scores as given, by ranking. Equal scores keep the order of their ids, so that
    the same input gives the same output.
    """
    scaled = {
        name: share_of_best(ranking) if name in cut_off else min_max(ranking) for name, ranking in rankings.items()
    }
    ids = {key for ranking in rankings.values() for key in ranking}
    fused = []
    for key in ids:
        score = sum(weights[name] * scaled[name].get(key, 0.0) for name in rankings)
        parts = {name: ranking[key] for name, ranking in rankings.items() if key in ranking}
        fused.append((key, score, parts))
    fused.sort(key=lambda item: (-item[1], str(item[0])))
    return fused
