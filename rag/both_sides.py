"""Two things that a question compares -> the paper that is about each, and sentences on both. Pure.

A paper is about a side that its title has or one of its sentences introduces; a name may also only be used in one. A
side of common words that no paper is about, as far as this goes, is left to the search for the question as a whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag.defining import defines
from rag.evidence import Idf, evidence_of, rank_evidence
from rag.records import Evidence, Hit, Sentence
from rag.sides import is_name_in, speaks_of, without_version
from rag.worth import worth_quoting

_INTRODUCED = 0.5  # how surely a sentence introduces a side, at the least
_MOST_COMPARING = 2
_OF_EACH, _OF_ONE = 2, 3  # sentences of each side, and of one that stands alone


@dataclass(frozen=True, slots=True)
class Side:
    """A side of a comparison, what was searched for it, and the paper found; `own` where that is about it."""

    name: str
    query: str
    hit: Hit
    own: bool


def paper_on(name: str, query: str, hits: Sequence[Hit], *, named: bool) -> Side | None:
    """The paper of `hits`, the best first, that is about the side `name`; one that uses it, where it is `named` so."""
    for way in dict.fromkeys((name, without_version(name))):
        told = [(2 * _introduces(way, hit) + speaks_of(way, hit.title), hit) for hit in hits]
        best, hit = max(told, key=lambda one: one[0], default=(0.0, None))
        if hit is not None and best >= 2 * _INTRODUCED:
            return Side(way, query, hit, own=True)
    using = [hit for hit in hits if _sentences_on(name, hit)] if named else []
    return Side(name, query, using[0], own=False) if using else None


def _introduces(name: str, hit: Hit) -> float:
    return max((defines(name, one.sentence.text, one.sentence.index) for one in hit.sentences), default=0.0)


def _sentences_on(name: str, hit: Hit) -> list[Sentence]:
    return [one.sentence for one in hit.sentences if speaks_of(name, one.sentence.text)]


def is_written_as_name(side: Side) -> bool:
    """Whether its paper writes a side as a name."""
    return any(is_name_in(side.name, sentence.text) for sentence in _sentences_on(side.name, side.hit))


def speaks_of_both(hit: Hit, sides: Sequence[Side]) -> bool:
    """Whether a paper has sentences on each of `sides`."""
    return all(_sentences_on(side.name, hit) for side in sides)


def evidence_on_sides(
    question: str, hits: Sequence[Hit], sides: Sequence[Side], idf: Idf
) -> list[tuple[Hit, Sentence, float]]:
    """Sentences of `hits` that speak of both sides, then the best of the paper on each, with what they lean on."""
    chosen: list[tuple[Hit, Sentence, float]] = []
    if len(sides) > 1:
        both = [
            (hit, sentence, score)
            for hit in hits
            for sentence, score in evidence_of(question, hit, idf)
            if all(speaks_of(side.name, sentence.text) for side in sides)
        ]
        chosen = sorted(both, key=lambda row: -row[2])[:_MOST_COMPARING]
    most = _OF_EACH if len(sides) > 1 else _OF_ONE
    for side in sides:
        hit = side.hit
        if not side.own:
            kept = tuple(one for one in hit.sentences if speaks_of(side.name, one.sentence.text))
            hit = replace(hit, sentences=kept)
        taken = {(one.key, sentence.index) for one, sentence, _ in chosen}
        ranked = rank_evidence(side.query, [hit], idf, len(hit.sentences))
        shown = [
            Evidence(n, hit.title, hit.key, hit.link, *row[1:], hit.decides(row[1])) for n, row in enumerate(ranked)
        ]
        worth = worth_quoting(side.query, shown, {hit.key: len(side.hit.sentences)}, idf, most)
        chosen += [(hit, one.sentence, one.score) for one in worth if (one.key, one.sentence.index) not in taken]
    return chosen
