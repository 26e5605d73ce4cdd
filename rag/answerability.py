"""How likely do the papers found answer the question? A small logistic model over what search and reading saw. Pure.

A question near the papers that none of them answers shows a mix: some of its words are met closely, others by nothing.
One that describes a paper in everyday words is met half-heartedly throughout. Neither similarity nor the words in
common tell the two apart; how both are spread over the words does. Where the words are all met and the answer is
not there, reading question and paper together tells, see `comprehension.py`; less well, what a paper is wrongly taken
to say.

The weights are fitted by `citable eval calibrate` on questions of our own about the bundled sample, for each embedding
model by itself; their data and figures stand in `eval/LOG.md`.
"""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

import numpy as np

from rag.defining import asked_what_it_is, defines
from rag.identity import normalise_title
from rag.records import Comprehension, Retrieval, Word
from rag.terms import content_terms, numbers

# Asks for a paper, not for what one says.
_ASKS_FOR_PAPER = re.compile(
    r"^\W*(?:who\b|"
    r"which (?:papers?|work|study|studies|authors?|group|team|researchers?|article|tool|survey|method|preprint)\b|"
    r"is there\b|are there\b|was there\b|has any|have any|did any|do any|does any|can\b|could\b|any\b|"
    r"what (?:tool|paper|work|was that)\b|where can\b|i(?:'m| am)\b|looking for\b)",
    re.IGNORECASE,
)
# Words for what is asked for, rather than for the matter.
_ASKING = re.compile(
    r"(?:et|al|vs|versus|papers?|works?|stud(?:y|ies)|articles?|publications?|surveys?|reviews?|authors?|researchers?|groups?|teams?|"
    r"lists?|names?|find|found|tell|show|thanks?|helps?|findings?|results?|approach(?:es)?|methods?|overview|compare[ds]?|contrast|summari[sz]e[ds]?)",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?<![.?!] )(?<!^)\b[A-Z][\w-]*\w")
# Asks for whatever a paper says on a matter: the reader has learnt from questions that ask for one thing.
_AT_LARGE = re.compile(
    r"^\W*(?:(?:so|and|but|ok|please),? )*(?:"
    r"what (?:do|does|did|have|has|can|is|are|was|were)\b.{0,80}"
    r"\b(?:show|shown|find|found|report|say|said|tell|told|know|known|learn|learnt|learned|write|written|think|conclude|argue|"
    r"suggest|discover|discovered|do|done)\b.{0,10}\b(?:about|on|of|regarding|concerning)\b|"
    r"(?:what|how) about\b|tell me\b|describe\b|explain\b|summari[sz]e\b|give me\b|(?:an? )?(?:overview|summary) of\b)",
    re.IGNORECASE,
)
_ANSWERED, _DENIED = ("read in the best", "read in any"), "denied by the best"
_SHORTEST = 4  # sentences of a paper, as in `eval/comprehension/papers`
_BREAK = re.compile(r"[.!?:;]\s+")
_FEWEST = 3  # words that a part of a question must have to be judged by itself
_LONG = 20  # words; a longer question counts as one of these
_CERTAIN = 1e-4  # nearer to 0 or 1 a chance makes no difference
_READ = 3  # papers, the best among them, one of which may answer
_RARE = 0.5  # of a word that is worth telling
_SURE = 0.8  # that a sentence explains something, by its form alone; set by eye (eval/LOG.md)


Read = Callable[[str, Retrieval], Sequence[Comprehension]]
"""A question, and what was found for it -> what each of the papers found says to it."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A logistic model: of each feature the mean and the standard deviation in its data and the weight, and the bias.

    A rare word that is nowhere met by `unmet_below` or more is not dealt with.
    """

    mean: Mapping[str, float]
    scale: Mapping[str, float]
    weight: Mapping[str, float]
    bias: float
    unmet_below: float = 0.0

    def probability(self, found: Mapping[str, float]) -> float:
        """The model's answer for one question."""
        terms = (self.weight[name] * (found[name] - self.mean[name]) / self.scale[name] for name in self.weight)
        return 1 / (1 + math.exp(-(self.bias + sum(terms))))


def load_weights(digest: str) -> tuple[Weights, bool]:
    """The weights for the embedding model of that digest, and whether they were fitted for it.

    Other models get those of the strongest model that was fitted.
    """
    shipped = json.loads(weights_path().read_text(encoding="utf-8"))
    models = shipped["models"]
    own = digest in models
    return Weights(**models[digest if own else shipped["other"]]["model"]), own


def weights_path() -> Path:
    """The file of the weights, as it is shipped."""
    return Path(str(files("rag") / "answerability.json"))


def answerability(question: str, found: Retrieval, weights: Weights, read: Read) -> float:
    """Probability in 0..1 that the papers found answer `question`; 0 where nothing was found.

    A question that names a paper by its title and asks nothing in particular is answered by it. What comes before the
    question proper ("Thanks. Now something else: ...") is met by no paper: where the last part alone looks better, it
    counts. So does `explained`. Without token vectors, or words, there is nothing to judge by but the similarity (its
    root, to be on a scale with the rest).
    """
    if not found.hits:
        return 0.0
    if _asks_about_a_paper(question, found):
        return 1.0
    if not found.words:
        return math.sqrt(max(0.0, found.similarity))
    parts = [(question, found.words), *_last_part(question, found.words)]
    likely = max(
        weights.probability(_trusted(text, replace(found, words=words), read(text, found), weights))
        for text, words in parts
    )
    return max(likely, explained(question, found))


def _trusted(
    question: str, found: Retrieval, understood: Sequence[Comprehension], weights: Weights
) -> dict[str, float]:
    """The features of a question, those of reading only where the reader has learnt from the like.

    One that asks for whatever a paper says on a matter counts as read to be answered, a standard deviation above the
    mean: the other features tell whether the paper is on the matter. Of a paper of a few sentences reading tells
    nothing.
    """
    seen = features(question, found, understood)
    if len(found.hits[0].sentences) < _SHORTEST:
        seen |= {name: weights.mean[name] for name in (*_ANSWERED, _DENIED)}
    if _AT_LARGE.match(question):
        seen |= {name: weights.mean[name] + weights.scale[name] for name in _ANSWERED}
    return seen


def explained(question: str, found: Retrieval) -> float:
    """How likely it is, 0..1, that the papers tell what `question` asks to be explained; 0 for any other question.

    Those do that introduce it, however far from it they seem: a name may be new to the embedding model.
    """
    what = asked_what_it_is(question)
    if not what or all(word.rarity <= _RARE or _ASKING.fullmatch(word.text) for word in found.words):
        return 0.0
    sentences = [scored.sentence for hit in found.hits for scored in hit.sentences]
    return min(_SURE, max((defines(what, one.text, one.index) for one in sentences), default=0.0))


def _asks_about_a_paper(question: str, found: Retrieval) -> bool:
    """Whether `question` names a paper found by its title and asks hardly more: "What does X report?"."""
    asked = f" {normalise_title(question)} "
    for hit in found.hits:
        title = normalise_title(hit.title)
        if f" {title} " in asked and len(set(content_terms(asked.replace(f" {title} ", " ")))) < _FEWEST:
            return True
    return False


def _last_part(question: str, words: Sequence[Word]) -> list[tuple[str, tuple[Word, ...]]]:
    """The end of the question from the last break on that leaves enough words."""
    for end in reversed([found.end() for found in _BREAK.finditer(question)]):
        rest = words_from(end, question, words)
        if len(rest) >= _FEWEST:
            return [(question[end:], rest)] if len(rest) < len(words) else []
    return []


def words_from(start: int, question: str, words: Sequence[Word]) -> tuple[Word, ...]:
    """Those of the `words` of `question` that stand at `start` or behind it."""
    places, position = [], 0
    for word in words:
        # What is not there was put in for an acronym: it stands where the word before it does.
        position = max(position, question.find(word.text, position))
        places.append(position)
    return tuple(word for word, place in zip(words, places, strict=True) if place >= start)


def features(question: str, found: Retrieval, understood: Sequence[Comprehension]) -> dict[str, float]:
    """What the model judges by. Words count by their rarity; `found` must have hits and words."""
    rarity = np.array([word.rarity for word in found.words])
    share = rarity / (rarity.sum() or 1.0)
    match = np.array([word.match for word in found.words])
    any_match = np.array([word.any_match for word in found.words])
    stands = np.array([word.stands for word in found.words], dtype=float)
    any_stands = np.array([word.any_stands for word in found.words], dtype=float)
    mean = float(share @ match)
    unmet = np.sort(rarity * (1 - any_match) * (1 - any_stands))
    best = found.hits[0]
    held = set(content_terms(best.text))
    names = [name for name in _NAME.findall(question) if not set(content_terms(name)) <= held]
    return {
        "mean match": mean,
        "share that stands": float(share @ stands),
        "mean match elsewhere": float(share @ any_match) - mean,
        "spread of matches": math.sqrt(float(share @ (match - mean) ** 2)),
        "best matches": float(np.sort(match)[-3:].mean()),
        "worst matches": float(np.sort(match)[:2].mean()),
        "most unmet": float(unmet[-1]),
        "unmet": float(unmet[-2:].mean()),
        "similarity": found.similarity,
        "best sentence": max((scored.score for scored in best.sentences), default=0.0),
        "asks for a paper": float(bool(_ASKS_FOR_PAPER.match(question))),
        "length": min(len(found.words), _LONG) / _LONG,
        "numbers not there": float(min(2, len(numbers(question) - numbers(best.text)))),
        "names not there": float(min(2, len(names))),
        _ANSWERED[0]: _log_odds(understood[0].answered),
        _ANSWERED[1]: max(_log_odds(one.answered) for one in understood[:_READ]),
        _DENIED: _log_odds(understood[0].contradicted),
    }


def _log_odds(chance: float) -> float:
    """Of a chance, which counts as no nearer to 0 or 1 than `_CERTAIN`."""
    held = min(max(chance, _CERTAIN), 1 - _CERTAIN)
    return math.log(held / (1 - held))


def unmet_words(words: Sequence[Word], below: float) -> tuple[str, ...]:
    """The words of a question that no paper found holds, or has anything like: rare ones, met less than `below`."""
    found = [
        word.text
        for word in words
        if not word.any_stands and word.any_match < below and word.rarity > _RARE and not _ASKING.fullmatch(word.text)
    ]
    return tuple(dict.fromkeys(found))
