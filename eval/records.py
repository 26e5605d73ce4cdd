"""The records of an evaluation: questions, suites, and what a run writes down about each question. All are frozen.

A paper is named by its key in the index (`doi:...`, `arxiv:...`, `pmid:...`, `id:...`, `title:...`). A `Record` holds
all that the metrics need, so that a run can be scored again without index and models.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from rag.records import Paper, Skipped


class Kind(StrEnum):
    """What a question asks for."""

    FACT = "fact"  # a fact that one paper states
    FIND = "find"  # one paper, described in everyday words
    MULTI = "multi"  # something that several papers answer together
    NONE = "none"  # something that no paper answers
    FOLLOWUP = "followup"  # a later turn that leans on `history`
    META = "meta"  # counting or listing papers


@dataclass(frozen=True)
class Question:
    """A question with what is known about its answer.

    `gold` maps papers that answer it, by key or by title, to their grade (1 or more, higher is better). `nuggets` are
    key facts, each a tuple of alternative wordings. `without` names papers that are not found while it is asked.
    """

    id: str
    kind: Kind
    question: str
    subkind: str = ""
    history: tuple[str, ...] = ()
    gold: Mapping[str, int] = field(default_factory=dict)
    nuggets: tuple[tuple[str, ...], ...] = ()
    answer: str = ""
    points: tuple[str, ...] = ()
    count: int | None = None
    without: tuple[str, ...] = ()
    generated: bool = False


@dataclass(frozen=True)
class Corpus:
    """The papers that a suite brings with it. `digest` changes when they do; `read` may be called more than once."""

    name: str
    digest: str
    read: Callable[[], Iterator[Paper | Skipped]]


@dataclass(frozen=True)
class Suite:
    """Questions, and the papers they are about; without `corpus` they are about the user's index.

    `notes` tell what a reader of the report must know, such as how relevance grades were mapped.
    """

    name: str
    path: Path
    layout: str
    digest: str
    questions: tuple[Question, ...]
    corpus: Corpus | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Gold:
    """A paper that answers a question: its key in the index (empty if it is not there), its title and its grade."""

    key: str
    title: str
    grade: int


@dataclass(frozen=True)
class Ranked:
    """A paper in the ranking of a question."""

    key: str
    score: float


@dataclass(frozen=True)
class ShownPaper:
    """A paper that was retrieved for the answer, with the parts that its score was fused from."""

    key: str
    title: str
    score: float
    parts: Mapping[str, float]


@dataclass(frozen=True)
class ShownSentence:
    """A sentence of evidence that the language model was shown under `number`."""

    number: int
    key: str
    title: str
    sentence: int
    text: str


@dataclass(frozen=True)
class CitedSentence:
    """A citation of an answer; `verbatim` if its quote stands, character for character, at its place in the paper."""

    number: int
    key: str
    title: str
    sentence: int
    quote: str
    verbatim: bool


@dataclass(frozen=True)
class StatedClaim:
    """A sentence of an answer, the numbers it cites, and what the check made of it."""

    text: str
    citations: tuple[int, ...]
    verdict: str
    score: float
    written: str


@dataclass(frozen=True)
class Reply:
    """What Citable answered.

    `parsed` is False if `raw` breaks the form of an answer; `ended` is True if the model came to its end by itself.
    `read_tokens` are those of the prompt that the model had not read before. `listed` are the papers that a listing
    question was answered with.
    """

    text: str
    refused: bool
    claims: tuple[StatedClaim, ...]
    citations: tuple[CitedSentence, ...]
    evidence: tuple[ShownSentence, ...]
    raw: str
    ended: bool
    parsed: bool
    dropped: int
    prompt_tokens: int
    read_tokens: int
    generated_tokens: int
    listed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Counterfactual:
    """The answer to the same question with the papers `without`, which the first answer cited, hidden."""

    without: tuple[str, ...]
    text: str
    refused: bool
    cited: tuple[str, ...]


@dataclass(frozen=True)
class Record:
    """What happened to one question. `reply` is None in a run of retrieval alone, and after an error.

    `ranking` goes deeper than `hits`, the papers that the answer could draw on. `refusal_score` is the confidence that
    was needed less the confidence that was there: above 0 the question is refused before anything is written. Times are
    in seconds, memory in MiB (the peak of the process so far). `query` is what was searched for, more than the question
    for a follow-up.
    """

    question: Question
    gold: tuple[Gold, ...]
    ranking: tuple[Ranked, ...]
    hits: tuple[ShownPaper, ...]
    confidence: float
    refusal_score: float
    reply: Reply | None
    counterfactual: Counterfactual | None
    error: str
    timings: Mapping[str, float]
    query: str = ""
