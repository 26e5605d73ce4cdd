"""Does a sentence say what has been said already, in nearly the same words? Pure.

The same statement stands in an abstract and in its conclusion, in a preprint and in the paper that it became: quoted
twice it is padding. Compared are content words, weighted by how rare they are, and numbers.
"""

from collections.abc import Callable, Sequence

from rag.terms import content_terms, numbers

Idf = Callable[[Sequence[str]], dict[str, float]]

# Share of a sentence's weighted words that must stand in one earlier text (figures in eval/LOG.md).
_SAME = 0.75


def says_nothing_new(text: str, earlier: Sequence[str], idf: Idf) -> bool:
    """Whether nearly all content words of `text`, and all its numbers, stand in one of the `earlier` texts."""
    words = content_terms(text)
    weights = idf(words)
    total = sum(weights.values())
    if not total:
        return any(text.split() == other.split() for other in earlier)
    told = numbers(text)
    for other in earlier:
        shared = set(content_terms(other)).intersection(words)
        if sum(weights[word] for word in shared) >= _SAME * total and told <= numbers(other):
            return True
    return False
