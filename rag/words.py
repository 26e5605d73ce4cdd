"""The content words of a question, and how far the papers found deal with each. Pure."""

import re
from collections.abc import Callable, Collection, Sequence

from rag.records import Vectors, Word
from rag.terms import content_terms

Idf = Callable[[Sequence[str]], dict[str, float]]
_WORD = re.compile(r"[^\W_]+(?:[.,]\d+)*")
# No text holds it: its weight is that of every word that the collection lacks.
_NO_WORD = "\x00"


def question_words(
    question: str,
    spans: Sequence[tuple[int, int]],
    matches: Sequence[Vectors],
    held: Sequence[Collection[str]],
    idf: Idf,
) -> tuple[Word, ...]:
    """The content words of `question` in order, against papers, the best first.

    `spans` are the places of the question's tokens. For each paper, `matches` is the best cosine of each of these
    tokens in it, shape (tokens,), and `held` its terms. A word of several tokens counts their mean.
    """
    found = []
    for word in _WORD.finditer(question):
        terms = content_terms(word[0])
        tokens = [n for n, (start, end) in enumerate(spans) if start < word.end() and end > word.start()]
        if terms and tokens:
            found.append((word[0], terms[0], tokens))
    weights = idf([*(term for _, term, _ in found), _NO_WORD])
    return tuple(
        Word(
            text=text,
            rarity=weights[term] / (weights[_NO_WORD] or 1.0),
            match=(near := [float(row[tokens].mean()) for row in matches])[0],
            any_match=max(near),
            stands=term in held[0],
            any_stands=any(term in one for one in held),
        )
        for text, term, tokens in found
    )
