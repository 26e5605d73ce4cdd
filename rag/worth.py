"""Which sentences of the evidence are worth quoting? Pure.

Two sentences of the best paper are always quoted: the best evidence, and the likeliest to hold a key fact, which may
be the same; where it is asked what something is, the one that introduces it. A further one has to earn its place: a
logistic model tells how likely it holds a key fact that was asked for, from how good evidence it is, whether who has
read the paper points at it, which words of the question it has, where it stands, and whether it has numbers: what was
found is told late in an abstract and in numbers. Another paper has its best sentence quoted where that is nearly as
good evidence as the best of all.
"""

from collections.abc import Callable, Mapping, Sequence
from math import exp

from rag.defining import asked_what_it_is, defines
from rag.evidence import evidence_of
from rag.leaning import leans_back
from rag.records import Evidence, Hit, Sentence
from rag.repetition import says_nothing_new
from rag.terms import content_terms

Idf = Callable[[Sequence[str]], dict[str, float]]

FEATURES = (
    "behind the best",
    "words",
    "words beside the best",
    "after the best",
    "position",
    "numbers",
    "length",
    "decides",
)
# Made by `python -m eval.bench.quoting calibration` (figures in eval/LOG.md); one a feature, the last is constant.
_WEIGHTS = (-1.43, 1.60, 0.58, 0.56, 1.02, 0.87, -0.48, 3.27, -2.71)
_LIKELY = 0.06
_OTHER_PAPER = 0.8
_MOST_OF_ONE = 4
# Where several papers are asked for, one that is so good a hit, against the best, is quoted: chosen on the questions
# of the suite `calibration`, where .5 to .65 bring hardly more papers and more wrong ones (eval/LOG.md).
_AS_GOOD = 0.7
# So is one whose nearest sentence is about as near. Scores of papers are scaled between the worst and the best found,
# and within a few papers the worst may be as good as the best.
_AS_NEAR = 0.9
# Of a few papers that the user chose, those are not quoted that have nothing half as near: a year is no matter.
_RELATED = 0.5
# Of the sentences of each that are so little worse evidence than the best, 2 at the most, the likeliest is quoted.
_LESS = 0.15
_LENGTH = 200.0  # characters; twice as much counts no more
_LONGEST = 2.0


def worth_quoting(
    question: str, evidence: Sequence[Evidence], lengths: Mapping[str, int], idf: Idf, most: int
) -> list[Evidence]:
    """At most `most` of `evidence`: the best paper first, the sentences of each in the order of the text.

    A sentence that points back brings the one before it along, which does not count.

    `lengths` maps papers, by key, to the number of their sentences.
    """
    if not evidence:
        return []
    what = asked_what_it_is(question)

    def introduces(item: Evidence) -> float:
        return defines(what, item.sentence.text, item.sentence.index) if what else 0.0

    best = max(evidence, key=lambda item: (introduces(item), item.score))
    likely = dict(zip((item.number for item in evidence), likelihoods(question, evidence, lengths, idf), strict=True))
    own = [item for item in evidence if item.key == best.key]
    own.sort(key=lambda item: (-introduces(item), -likely[item.number]))
    # What holds a key fact likeliest may leave out what the question is about: the best evidence is quoted too.
    firsts = own[:1] if introduces(own[0]) or own[0] is best else [own[0], best]
    further = [item for item in own[1:_MOST_OF_ONE] if likely[item.number] >= _LIKELY and item not in firsts]
    others: dict[str, Evidence] = {}
    for item in sorted(evidence, key=lambda item: -item.score):
        if item.key != best.key and item.score >= _OTHER_PAPER * best.score:
            others.setdefault(item.key, item)
    chosen: list[Evidence] = []
    # Of each paper its best sentence, before more of the first.
    for item in (*firsts, *others.values(), *further):
        if len(chosen) < most and not says_nothing_new(item.sentence.text, [c.sentence.text for c in chosen], idf):
            chosen.append(item)
    places = {(item.key, item.sentence.index): item for item in evidence}
    for item in [item for item in chosen if leans_back(item.sentence.text)]:
        before = places.get((item.key, item.sentence.index - 1))
        if before is not None and before not in chosen:
            chosen.append(before)
    order = {key: rank for rank, key in enumerate(dict.fromkeys(item.key for item in chosen))}
    return sorted(chosen, key=lambda item: (order[item.key], item.sentence.index))


def one_of_each(
    question: str, hits: Sequence[Hit], idf: Idf, *, every: bool = False
) -> list[tuple[Hit, Sentence, float]]:
    """A sentence of each paper that is about as good a hit as the best, with what it leans on.

    It is the best evidence, or what is about as good and likelier to hold a key fact. With `every`, papers that are no
    such good hits count too, as long as they deal with the matter. Where the question says no matter at all ("Compare
    these papers"), each is told by the sentence that is nearest to its title.
    """
    told = bool(content_terms(question))
    nearest = max((_nearness(hit) for hit in hits), default=0.0)
    chosen: list[tuple[Hit, Sentence, float]] = []
    for hit in hits:
        good = hit.score >= _AS_GOOD * hits[0].score or _nearness(hit) >= (_RELATED if every else _AS_NEAR) * nearest
        if not hit.sentences or not (good or (every and not told)):
            continue
        ranked = evidence_of(question if told else hit.title, hit, idf)
        near = [(sentence, score) for sentence, score in ranked if score >= ranked[0][1] - _LESS]
        shown = [Evidence(n, hit.title, hit.key, hit.link, *row, hit.decides(row[0])) for n, row in enumerate(near)]
        likely = likelihoods(question, shown, {hit.key: len(hit.sentences)}, idf)
        best, score = near[likely.index(max(likely))] if told else ranked[0]
        chosen.append((hit, best, score))
        if leans_back(best.text):
            chosen += [(hit, one, score) for one, _ in ranked if one.index == best.index - 1]
    return chosen


def _nearness(hit: Hit) -> float:
    """The cosine of the question with the nearest sentence of a paper."""
    return max((scored.score for scored in hit.sentences), default=0.0)


def likelihoods(question: str, evidence: Sequence[Evidence], lengths: Mapping[str, int], idf: Idf) -> list[float]:
    """How likely each sentence of the best paper holds a key fact, 0..1; 0 for those of other papers."""
    return [
        1 / (1 + exp(-sum(w * x for w, x in zip(_WEIGHTS, (*row, 1.0), strict=True)))) if row else 0.0
        for row in features(question, evidence, lengths, idf)
    ]


def features(
    question: str, evidence: Sequence[Evidence], lengths: Mapping[str, int], idf: Idf
) -> list[tuple[float, ...]]:
    """The FEATURES of each sentence of the best paper; none for sentences of others."""
    weights = idf(content_terms(question))
    total = sum(weights.values()) or 1.0
    best = max(evidence, key=lambda item: item.score)
    held = [set(content_terms(item.sentence.text)) & weights.keys() for item in evidence]
    of_best = held[list(evidence).index(best)]
    rows: list[tuple[float, ...]] = []
    for item, words in zip(evidence, held, strict=True):
        if item.key != best.key:
            rows.append(())
            continue
        text, index = item.sentence.text, item.sentence.index
        rows.append(
            (
                best.score - item.score,
                sum(weights[word] for word in words) / total,
                sum(weights[word] for word in words - of_best) / total,
                float(index > best.sentence.index),
                index / max(1, lengths.get(item.key, 1) - 1),
                float(any(char.isdigit() for char in text)),
                min(_LONGEST, len(text) / _LENGTH),
                item.decides,
            )
        )
    return rows
