"""The records that pass between the stages, and the seams as small Protocols.

All are frozen. A score belongs to a hit, never to a paper. Offsets are character positions in the abstract, end
exclusive, so that `abstract[start:end]` is the text byte for byte as it was ingested.
"""

from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Event
from typing import Protocol

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class TokenVectors:
    """The tokens of a text less special ones: ids, shape (n,), and unit vectors, shape (n, dimensions)."""

    ids: npt.NDArray[np.int32]
    vectors: Vectors


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper as a source file gives it. With an `own_id`, that alone says which paper of its collection it is.

    `categories` are those of arXiv, such as `cs.LG`; keywords are none.
    """

    title: str
    abstract: str
    authors: tuple[str, ...] = ()
    year: int | None = None
    venue: str = ""
    doi: str = ""
    arxiv_id: str = ""
    pmid: str = ""
    url: str = ""
    source: str = ""
    own_id: str = ""
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Skipped:
    """A piece of a source file that could not be read as a paper; line 0 is no line of its own."""

    source: str
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a paper's abstract with its address: (paper_id, index)."""

    paper_id: int
    index: int
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of an abstract that fits the embedding model; `embed_text` is what the model and BM25 see."""

    paper_id: int
    index: int
    start: int
    end: int
    embed_text: str


@dataclass(frozen=True, slots=True)
class CatalogPaper:
    """A paper in the catalog: `id` addresses it inside one index, `key` is stable across indexes."""

    id: int
    key: str
    paper: Paper


@dataclass(frozen=True, slots=True)
class Added:
    """What became of papers that were read: each is counted once."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    duplicates: int = 0

    def __add__(self, other: "Added") -> "Added":
        return Added(
            self.new + other.new,
            self.changed + other.changed,
            self.unchanged + other.unchanged,
            self.duplicates + other.duplicates,
        )


@dataclass(frozen=True, slots=True)
class Counts:
    """Papers in the catalog, those indexed, and the vectors and rows that the derived indexes should hold."""

    papers: int
    indexed: int
    passages: int
    sentences: int


@dataclass(frozen=True, slots=True)
class Filter:
    """Which papers are asked about, by what their records say. How values match stands in `matching.py`.

    The values of one field are alternatives; fields hold together, and so do the filters of `also`. A year range is its
    first and last year, None where it is open. A filter without values lets all papers through and is false.
    """

    years: tuple[tuple[int | None, int | None], ...] = ()
    authors: tuple[str, ...] = ()
    venues: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    also: tuple["Filter", ...] = ()

    def __bool__(self) -> bool:
        return self != Filter()


@dataclass(frozen=True, slots=True)
class Scope:
    """The papers that a filter lets through, of `total`; `lacking` have nothing in a field that it looks at.

    `listed_for` is the question that listed them, where that is how they were chosen; the filter is then what was typed
    beside it.
    """

    filter: Filter
    ids: frozenset[int] = field(repr=False)
    total: int
    lacking: int = 0
    listed_for: str = ""

    @property
    def papers(self) -> int:
        """How many papers are let through."""
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class ScoredSentence:
    """A sentence and the cosine of its vector with the question's.

    `decides` is how likely it is the one of its paper that decides on the question, 0 where the paper was not read.
    """

    sentence: Sentence
    score: float
    decides: float = 0.0


@dataclass(frozen=True, slots=True)
class Hit:
    """A retrieved paper with its fused score, the parts that it was fused from, and its best sentences.

    `byline` is who wrote it, and when: "Jonathan Ho et al., 2020". A paper that a model has read to put it in order has
    one more part: `likelihood` (log-probability of a token of the question) or `relevance` (output of a cross-encoder).
    """

    paper_id: int
    key: str
    title: str
    link: str
    score: float
    parts: Mapping[str, float]
    sentences: tuple[ScoredSentence, ...]
    byline: str = ""

    def decides(self, sentence: Sentence) -> float:
        """How likely one of its sentences is the one that decides on the question."""
        return next((one.decides for one in self.sentences if one.sentence.index == sentence.index), 0.0)

    @property
    def text(self) -> str:
        """Title and sentences, the best first."""
        return ". ".join([self.title, *(scored.sentence.text for scored in self.sentences)])


@dataclass(frozen=True, slots=True)
class Word:
    """A content word of a question, and how far the papers found deal with it.

    `rarity` is 1 for a word that the collection lacks, near 0 for one that all passages hold. `match` is how near the
    word in its context comes to some word of the best paper, `any_match` of some paper found (cosines, less for models
    whose tokens lie apart); `stands` and `any_stands` tell whether the word itself is in it, in any of its forms.
    """

    text: str
    rarity: float
    match: float
    any_match: float
    stands: bool
    any_stands: bool


@dataclass(frozen=True, slots=True)
class Comprehension:
    """What was made of a question and one paper, read together.

    `answered` is how likely the paper answers it, `contradicted` how likely it says otherwise than the question takes
    for granted, 0..1; of a long paper that is read in parts each is that of the part where it is likeliest. `sentences`
    tells of each sentence how likely it is the one that decides; they sum to 1.
    """

    answered: float
    contradicted: float
    sentences: tuple[float, ...]


class Comprehender(Protocol):
    """Reads papers together with a question."""

    def comprehend(self, question: str, papers: Sequence[tuple[str, Sequence[str]]]) -> list[Comprehension]:
        """What each of `papers`, `(title, sentences)`, says to `question`. One without sentences answers nothing."""


@dataclass(frozen=True, slots=True)
class Retrieval:
    """What a search found: hits best first, and how near they come to the question (0..1, see `retrieval.py`).

    `ranking` goes on where the hits end: `(paper_id, score)` of every paper that was a candidate, best first. `words`
    are those of the question, in order; none where the tokens of the papers are not kept.
    """

    hits: tuple[Hit, ...]
    similarity: float
    ranking: tuple[tuple[int, float], ...] = field(default=(), repr=False)
    words: tuple[Word, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence shown to the language model under `number` (1..n). `decides` is that of its ScoredSentence."""

    number: int
    title: str
    key: str
    link: str
    sentence: Sentence
    score: float
    decides: float = 0.0


@dataclass(frozen=True, slots=True)
class Citation:
    """A cited sentence. `number` is what the reader sees in brackets."""

    number: int
    paper_id: int
    key: str
    title: str
    link: str
    sentence: int
    start: int
    end: int
    quote: str


class Verdict(StrEnum):
    """How a sentence of the answer came to be supported by what it cites."""

    SUPPORTED = "supported"  # as the model wrote it, and cited it where it cites by itself
    MOVED = "moved"  # as the model wrote it, with the citation corrected
    QUOTED = "quoted"  # replaced by the cited sentence, word for word


@dataclass(frozen=True, slots=True)
class Claim:
    """One checked sentence of the answer; `written` is what the model wrote in its place.

    `score` is a fitted probability that the cited sentences carry it, 1 for a quotation; it decides nothing.
    """

    text: str
    citations: tuple[Citation, ...]
    verdict: Verdict
    score: float
    written: str


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the language model chooses its words: at temperature 0 always the likeliest, whatever the seed."""

    temperature: float = 0.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """The finished answer. `refused` answers have no claims; `hits` are then the nearest papers.

    Where the `confidence` that the papers found answer the question is below `needed`, nothing is written; `unmet`
    are words of it that none of them deals with, `unknown` names in it that stand in no paper, `missing` the side of a
    comparison that is in none, and `otherwise` is a sentence of the best paper that says otherwise than the question
    takes for granted. `ranking` is that of the search. `query` is what was searched for; `subject` is what a next
    question may lean on, the last question that stood for itself. `ended` tells that the model came to an end by
    itself, neither stopped nor out of tokens; `read_tokens` are those of the prompt that it had not read before. A
    question that counts or lists papers by what their records say is answered with `listed`, all of them, and has no
    claims; so is one that the record of a paper answers (`recorded`). Small talk is answered with none listed (`talk`).
    `scope` tells the papers that a filter left to look at; `question` is as it was
    asked, filters and all, `query` is without them, and empty where there was nothing else. `followed` tells that
    the question was taken to lean on the one before. `passed_over` sentences of the papers found were no evidence
    because they give orders to their reader (see `orders.py`). `writing` is the mode: quote, compose or free.
    `sampling` is that of the draft shown, None where the language model was not asked.
    """

    question: str
    text: str
    claims: tuple[Claim, ...]
    citations: tuple[Citation, ...]
    hits: tuple[Hit, ...]
    refused: bool
    confidence: float
    needed: float
    dropped: int
    stopped: bool
    query: str
    subject: str
    prompt_tokens: int
    generated_tokens: int
    timings: Mapping[str, float]
    read_tokens: int = 0
    ended: bool = False
    raw: str = ""
    evidence: tuple[Evidence, ...] = field(default=(), repr=False)
    ranking: tuple[tuple[int, float], ...] = field(default=(), repr=False)
    listed: tuple[CatalogPaper, ...] | None = field(default=None, repr=False)
    scope: Scope | None = None
    unmet: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    otherwise: Sentence | None = None
    missing: tuple[str, ...] = ()
    recorded: bool = False
    talk: bool = False
    followed: bool = False
    passed_over: int = 0
    writing: str = ""
    sampling: Sampling | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Stream event: the search is done; `query` is what was searched for, more than the question for a follow-up.

    `scope` are the papers that it was searched for in, None for all.
    """

    hits: tuple[Hit, ...]
    query: str
    scope: Scope | None = None
    followed: bool = False


@dataclass(frozen=True, slots=True)
class Drafting:
    """Stream event: draft `number` of several begins; what the last one wrote is not shown unless it is chosen."""

    number: int
    of: int


@dataclass(frozen=True, slots=True)
class Ranking:
    """Stream event: the model has read `done` of the `total` papers that it puts in order."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Reading:
    """Stream event: the model has read `done` of `total` prompt tokens."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Token:
    """Stream event: a token of a sentence that is not checked yet; no text where a character is not whole yet."""

    text: str


@dataclass(frozen=True, slots=True)
class Checked:
    """Stream event: a sentence is finished and checked; `claim` is None where nothing supports it.

    `rest` is what the model has begun to write after it.
    """

    claim: Claim | None
    rest: str = ""


@dataclass(frozen=True, slots=True)
class Finished:
    """Stream event, always the last."""

    answer: Answer


AnswerEvent = Ranking | Found | Drafting | Reading | Token | Checked | Finished


@dataclass(frozen=True, slots=True)
class Message:
    """A chat message: role (system, user, assistant) and text."""

    role: str
    content: str


class Embedder(Protocol):
    """Text to unit vectors, and the token arithmetic that keeps text inside the model's limit.

    `token_weight` is how much the match of tokens counts beside the other rankings: models differ in what their token
    vectors are worth.
    """

    name: str
    digest: str
    dimensions: int
    max_tokens: int
    token_weight: float

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, shape (len(texts), dimensions), in the order of `texts`."""

    def encode_tokens(self, texts: Sequence[str]) -> tuple[Vectors, list[TokenVectors]]:
        """What `encode` gives, and the vectors of each text's tokens."""

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        """Start and end of each token of `text`, special ones left out, as `encode_tokens` orders them.

        Empty where the tokenizer does not tell.
        """

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text as the model would see it untruncated, special tokens included."""


class Library(Protocol):
    """The records of all papers."""

    def scope(self, chosen: Filter) -> Scope | None:
        """The papers that `chosen` lets through; None for a filter that says nothing."""

    def search_titles(self, *, within: Collection[int] | None = None) -> Iterable[CatalogPaper]:
        """Papers by title: all, or those with the ids `within`."""

    def years(self, without: Collection[int] = ()) -> Mapping[int | None, int]:
        """How many papers there are of each year, None for those that tell none; those `without` not counted."""


class LanguageModel(Protocol):
    """A chat model that reads messages and writes, under a grammar or freely."""

    name: str
    context_tokens: int

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Tokens of the prompt that `messages` make."""

    def stream(
        self,
        messages: Sequence[Message],
        *,
        grammar: str,
        max_tokens: int,
        cancel: Event,
        sampling: Sampling | None = None,
        bias: Mapping[str, float] | None = None,
    ) -> Generator[Reading | Token, None, None]:
        """Write an answer; ends early when `cancel` is set. Raises UsageError if the prompt leaves no room.

        An empty `grammar` leaves the form free. Without `sampling`, the model's own default holds. `bias` is what to
        add to the log-probability of beginning with a text; a model on a server that cannot do that passes over it.
        """
