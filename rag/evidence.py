"""Retrieved papers -> the sentences that can carry the answer, the best first. Pure.

A sentence is good if its meaning is near the question, if it holds the question's rarer words, if who has read the
paper points at it, if its neighbours are good, and if its paper is a good hit. Choosing is greedy: words that a chosen
sentence holds count less for the next, so that a question with two parts finds a sentence for each; and where several
papers are about as good, as for a question that asks for papers or methods, each further sentence of one paper counts
less, so that the others speak. A sentence that points back brings the one before it along. Asked what something is,
those that introduce it come first.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from rag.defining import asked_what_it_is, defines
from rag.leaning import leans_back
from rag.records import Hit, ScoredSentence, Sentence
from rag.terms import compounds, content_terms, seams

Idf = Callable[[Sequence[str]], dict[str, float]]

# Chosen on the development questions as a whole, not on a part of them: see eval/LOG.md.
_PAPER_WEIGHT = 1.5
_NEIGHBOUR_WEIGHT = 0.15
_COVERED_WORD = 0.3
_CROWDING = 1.0
_CROWDING_POWER = 8
# What is pointed at; on the questions of the suite `calibration` .3 to 1 gave the same within noise.
_DECIDES = 0.6
# No text holds it: its weight is that of every word that the collection lacks.
_NO_WORD = "\x00"


def rank_evidence(question: str, hits: Sequence[Hit], idf: Idf, count: int) -> list[tuple[Hit, Sentence, float]]:
    """At most `count` sentences of `hits` with their scores, in the order of choice."""
    words = content_terms(question)
    weights = idf(words)
    total = sum(weights.values()) or 1.0
    left = dict(weights)
    rows = [(hit, scored.sentence, _by_itself(scored)) for hit in hits for scored in sorted(hit.sentences, key=_index)]
    joined = {compound.joined: compound.parts for compound in compounds(question)}
    held = [_held(sentence.text, joined) & weights.keys() for _, sentence, _ in rows]
    what = asked_what_it_is(question)
    defining = [defines(what, sentence.text, sentence.index) if what else 0.0 for _, sentence, _ in rows]
    # 1 where the second paper is as good a hit as the first, near 0 where the first stands out.
    crowd = (hits[1].score / hits[0].score) ** _CROWDING_POWER if len(hits) > 1 and hits[0].score > 0 else 0.0
    used: Counter[int] = Counter()
    chosen: list[tuple[Hit, Sentence, float]] = []
    free = set(range(len(rows)))
    while free and len(chosen) < count:
        own = [worth + sum(left[w] for w in held[i]) / total for i, (_, _, worth) in enumerate(rows)]

        def score(i: int, own: list[float] = own) -> float:
            hit, sentence, _ = rows[i]
            beside = sum(
                own[j] for j in (i - 1, i + 1) if 0 <= j < len(rows) and rows[j][1].paper_id == sentence.paper_id
            )
            crowding = _CROWDING * crowd * used[sentence.paper_id]
            return own[i] + _NEIGHBOUR_WEIGHT * beside + _PAPER_WEIGHT * hit.score - crowding

        best = max(sorted(free), key=lambda i: score(i) + defining[i])
        value = score(best)
        taken = [best]
        before = best - 1
        if before in free and leans_back(rows[best][1].text) and _follows(rows[best][1], rows[before][1]):
            taken.append(before)
        for i in taken[: count - len(chosen)]:
            chosen.append((rows[i][0], rows[i][1], value))
            free.remove(i)
            for word in held[i]:
                left[word] *= _COVERED_WORD
        used[rows[best][1].paper_id] += 1
    return chosen


def evidence_of(question: str, hit: Hit, idf: Idf) -> list[tuple[Sentence, float]]:
    """Each sentence of a paper with how good evidence it is by its words and meaning alone, the best first."""
    weights = idf(content_terms(question))
    total = sum(weights.values()) or 1.0
    joined = {compound.joined: compound.parts for compound in compounds(question)}

    def covered(text: str) -> float:
        return sum(weights[word] for word in _held(text, joined) & weights.keys()) / total

    rows = [(one.sentence, one.score + covered(one.sentence.text)) for one in hit.sentences]
    return sorted(rows, key=lambda row: (-row[1], row[0].index))


def _follows(sentence: Sentence, before: Sentence) -> bool:
    """Whether the one stands right behind the other; one that gives orders may have been taken out between them."""
    return (sentence.paper_id, sentence.index) == (before.paper_id, before.index + 1)


def _held(text: str, joined: Mapping[str, tuple[str, str]]) -> frozenset[str]:
    """The words of a sentence, and the other ways to write its compounds and those of the question."""
    own = content_terms(text)
    apart = (part for word in own for part in joined.get(word, ()))
    return frozenset((*own, *seams(text), *apart, *(compound.joined for compound in compounds(text))))


def _by_itself(scored: ScoredSentence) -> float:
    return scored.score + _DECIDES * scored.decides


def _index(scored: ScoredSentence) -> int:
    return scored.sentence.index


def unknown_share(question: str, idf: Idf) -> float:
    """Share of the question's weighted content words that occur nowhere in the collection, 0..1."""
    words = content_terms(question)
    weights = idf([*words, _NO_WORD])
    known = [weights[word] for word in words if weights[word] < weights[_NO_WORD]]
    total = sum(weights[word] for word in words)
    return 1 - sum(known) / total if total else 1.0
