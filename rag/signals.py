"""What speaks for a sentence beside the text that it cites, as numbers between 0 and 1 for a logistic model. Pure."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from rag.placing import Words, matched, numbers_kept
from rag.verification import Idf, aligned
from rag.wording import opposed, plain_words, poles

_NEAR = 6
_FEW = 2


def word_signals(claim: Words, evidence: Words, idf: Idf) -> dict[str, float]:
    """The signals of words, by name."""
    content = claim.content
    weights = idf(list(dict.fromkeys(claim.terms[i] for i in content)))
    matches = matched(claim, evidence)
    total = sum(weights[claim.terms[i]] for i in content) or 1.0
    lost = {i: weights[claim.terms[i]] for i in content if not matches.get(i)}
    held, in_order = aligned([claim.terms[i] for i in content], evidence.terms, weights)
    rarest = max((weights[claim.terms[i]] for i in content), default=1.0) or 1.0
    return {
        "coverage": 1 - sum(lost.values()) / total,
        "aligned": held / total,
        "rarest": max(lost.values(), default=0.0) / rarest,
        "foreign": min(1.0, sum(claim.terms[i] not in plain_words() for i in lost) / 3),
        "order": _concordance(matches, weights, claim),
        "binding": _binding(claim, evidence, matches, weights),
        "kept": numbers_kept(claim, evidence, matches, weights),
        "altered": _altered(claim, evidence, len(in_order)),
    }


def _altered(claim: Words, evidence: Words, in_order: int) -> float:
    """How much of a copy the claim is, if a word or two of it are other ones; 0 for a whole copy and for free words.

    The share of its pairs of neighbouring content words that are neighbours in the evidence.
    """
    if not 0 < len(claim.content) - in_order <= _FEW:
        return 0.0
    told = set(pairwise(evidence.terms[j] for j in evidence.content))
    said = list(pairwise(claim.terms[i] for i in claim.content))
    return sum(pair in told for pair in said) / max(1, len(said))


def _concordance(matches: Mapping[int, Sequence[int]], weights: Mapping[str, float], claim: Words) -> float:
    """Share of pairs of words that stand in the evidence in the same order; 1 where there is no pair."""
    sure = [(i, places[0], weights[claim.terms[i]]) for i, places in matches.items() if len(places) == 1]
    good = bad = 0.0
    for a, (_, first, weight) in enumerate(sure):
        for _, second, other in sure[a + 1 :]:
            good += weight * other * (second > first)
            bad += weight * other * (second < first)
    return good / (good + bad) if good + bad else 1.0


def _binding(
    claim: Words, evidence: Words, matches: Mapping[int, Sequence[int]], weights: Mapping[str, float]
) -> float:
    """Whether numbers and directions stand beside the same words in both: 1 if they do, 0 if beside each other's."""
    votes = 0.0
    cast = 0.0
    for i, places in matches.items():
        rivals = _rivals(claim.terms[i], evidence)
        if not places or not rivals:
            continue
        for other, found in matches.items():
            distance = abs(claim.places[i] - claim.places[other])
            if other == i or not found or distance > _NEAR or _rivals(claim.terms[other], evidence) & set(places):
                continue
            own = min(abs(evidence.places[a] - evidence.places[b]) for a in places for b in found)
            theirs = min(abs(evidence.places[a] - evidence.places[b]) for a in rivals for b in found)
            weight = weights[claim.terms[other]] / max(1, distance)
            votes += weight * (own < theirs) + 0.5 * weight * (own == theirs)
            cast += weight
    return votes / cast if cast else 1.0


def _rivals(term: str, evidence: Words) -> set[int]:
    """Where the evidence has another number, or another direction of the same axis."""
    if term[0].isdigit():
        return {j for j, other in enumerate(evidence.terms) if other[0].isdigit() and other != term}
    return {j for j, other in enumerate(evidence.terms) if other in poles() and opposed(term, other)}
