"""Paper -> passages that fit the embedding model whole. Pure; counts tokens through a callable.

What is embedded is the title and then the passage, so that a passage in the middle of an abstract still knows what
it is about. Nothing is cut off: text that does not fit makes another passage. Neighbouring passages share one
sentence, because a statement and the sentence that explains it should meet in one of them.
"""

from collections.abc import Callable, Sequence

from rag.records import Passage, Sentence

CountTokens = Callable[[Sequence[str]], list[int]]
_MAX_PASSAGES = 10_000


def embed_text(title: str, body: str) -> str:
    """Title and text as the embedding model and the lexical index see them."""
    return f"{title}\n{body}" if title and body else title or body


def split_passages(
    paper_id: int, title: str, abstract: str, sentences: Sequence[Sentence], count: CountTokens, max_tokens: int
) -> list[Passage]:
    """Passages of one paper, in order; every character of every sentence is in at least one.

    `count` gives the tokens of texts, special tokens included, and each `embed_text` counts at most `max_tokens`.
    """
    head = _fitting_head(title, count, max_tokens // 2)

    def fits(start: int, end: int) -> bool:
        return count([embed_text(head, abstract[start:end])])[0] <= max_tokens

    pieces: list[tuple[int, int]] = []
    for sentence in sentences:
        pieces.extend(_halve(abstract, sentence.start, sentence.end, fits))
    whole = (pieces[0][0], pieces[-1][1]) if pieces else (0, 0)
    spans = _pack(pieces, fits) if pieces and not fits(*whole) else [whole]
    passages = [
        Passage(paper_id, index, start, end, embed_text(head, abstract[start:end]))
        for index, (start, end) in enumerate(spans)
    ]
    if head != title:
        # The end of an overlong title is searchable too, as passages without abstract.
        passages.extend(
            Passage(paper_id, len(passages) + offset, 0, 0, title[start:end])
            for offset, (start, end) in enumerate(
                _halve(title, 0, len(title), lambda a, b: count([title[a:b]])[0] <= max_tokens)
            )
        )
    if len(passages) > _MAX_PASSAGES:
        raise ValueError(f"{title[:60]!r} makes {len(passages)} passages; an abstract has at most {_MAX_PASSAGES}")
    return passages


def split_text(text: str, count: CountTokens, max_tokens: int) -> list[str]:
    """`text` in pieces that fit `max_tokens`, cut at white space."""
    return [text[a:b] for a, b in _halve(text, 0, len(text), lambda a, b: count([text[a:b]])[0] <= max_tokens)]


def sentence_texts(pairs: Sequence[tuple[str, str]], count: CountTokens, max_tokens: int) -> list[str]:
    """What is embedded for each (title, sentence): both, because "It runs in 5 ms" says nothing alone.

    Where both do not fit, the sentence alone; where that does not fit either, as much of its beginning as does. The
    rest of such a sentence is found through the passages, which hold every word.
    """
    texts = [embed_text(title, sentence) for title, sentence in pairs]
    for index, tokens in enumerate(count(texts)):
        if tokens > max_tokens:
            texts[index] = split_text(pairs[index][1], count, max_tokens)[0]
    return texts


def _fitting_head(title: str, count: CountTokens, budget: int) -> str:
    while title and count([title])[0] > budget:
        shorter = title[: len(title) * 3 // 4]
        title = shorter.rsplit(None, 1)[0] if " " in shorter else shorter
    return title


def _halve(text: str, start: int, end: int, fits: Callable[[int, int], bool]) -> list[tuple[int, int]]:
    """The span, cut at white space near the middle until each piece fits."""
    if end - start <= 1 or fits(start, end):
        return [(start, end)]
    middle = (start + end) // 2
    space = text.rfind(" ", start + 1, middle)
    cut = space if space > start else middle
    return _halve(text, start, cut, fits) + _halve(text, cut, end, fits)


def _pack(pieces: Sequence[tuple[int, int]], fits: Callable[[int, int], bool]) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    first = 0
    while first < len(pieces):
        last = first
        while last + 1 < len(pieces) and fits(pieces[first][0], pieces[last + 1][1]):
            last += 1
        spans.append((pieces[first][0], pieces[last][1]))
        if last + 1 == len(pieces):
            break
        # One sentence of overlap, unless the next piece would not fit beside it.
        overlap = last > first and fits(pieces[last][0], pieces[last + 1][1])
        first = last if overlap else last + 1
    return spans
