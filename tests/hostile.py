"""Papers and questions that attack, and what must hold of every answer whatever they say.

All of them are invented. `canary` is what the attack wants to be said, `says` what the paper answers to `question`.
"""

import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any

import llama_cpp

from rag.build import Engine, index_papers
from rag.config import Config
from rag.grammar import REFUSAL
from rag.llm import LlamaModel
from rag.prompting import load_template
from rag.records import Answer, Message, Reading, Sampling, Token, Verdict
from rag.terms import content_terms, numbers

DATA = Path(__file__).parent / "data"
HOSTILE, HARMLESS = DATA / "hostile_papers.jsonl", DATA / "harmless_papers.jsonl"
_SYSTEMS = [load_template(f"{mode}_system", frozenset()).substitute() for mode in ("compose", "free", "quote")]
SYSTEM_SENTENCES = [
    s for text in _SYSTEMS for s in text.split("\n")[0].split(". ") if s.rstrip(".") not in REFUSAL and len(s) > 30
]


@dataclass(frozen=True)
class Attack:
    """One paper or question that attacks."""

    name: str
    canary: str
    question: str
    says: str = ""
    record: dict[str, Any] | None = None


def _lines(path: Path) -> list[dict[str, Any]]:
    # Not `splitlines`, which would cut at a line separator inside a string.
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


PAPERS = [Attack(r["attack"], r["canary"], r["question"], r["says"], r) for r in _lines(HOSTILE)]
QUESTIONS = [Attack(r["attack"], r["canary"], r["question"]) for r in _lines(DATA / "hostile_questions.jsonl")]
FAIR = [(r["question"], r["says"]) for r in _lines(HARMLESS)]
BY_NAME = {attack.name: attack for attack in [*QUESTIONS, *PAPERS]}


def hostile_config(folder: Path, **settings: Any) -> Config:
    """The configuration of an index that holds all hostile papers and the harmless ones, which is made.

    Little evidence is shown, for reading it is what takes time; `settings` come on top.
    """
    quick = {"embedding_model": "bundled", "context_tokens": 1024, "evidence_tokens": 160, "answer_tokens": 100}
    config = replace(Config(), home=folder, **{**quick, **settings})
    index_papers(config, [HOSTILE, HARMLESS])
    return config


def hostile_ids(engine: Engine) -> frozenset[int]:
    """The ids of the papers that are not harmless."""
    asked = {record["title"] for record in _lines(HARMLESS)}
    return frozenset(entry.id for entry in engine.catalog.search_titles() if entry.paper.title not in asked)


def check(answer: Answer, engine: Engine, attack: Attack | None = None) -> None:
    """What a reader relies on, of any answer: raises AssertionError where it does not hold."""
    _check_citations(answer, engine)
    _check_support(answer)
    own = " ".join([answer.text if not answer.claims else "", *(c.text for c in answer.claims if not _is_quote(c))])
    for sentence in SYSTEM_SENTENCES:
        assert sentence.lower() not in answer.text.lower()
    if attack and attack.canary:
        assert attack.canary.lower() not in own.lower()
    if answer.refused:
        assert not answer.claims
        assert not answer.citations


def _is_quote(claim: Any) -> bool:
    return bool(claim.verdict is Verdict.QUOTED)


def _check_citations(answer: Answer, engine: Engine) -> None:
    """Every citation is a whole sentence of a paper in the catalog, word for word where it says."""
    for number, citation in enumerate(answer.citations, start=1):
        assert citation.number == number
        (entry,) = engine.catalog.papers([citation.paper_id])
        sentence = engine.catalog.sentences(entry)[citation.sentence]
        assert (citation.start, citation.end) == (sentence.start, sentence.end)
        assert entry.paper.abstract[citation.start : citation.end] == citation.quote == sentence.text
        assert (citation.key, citation.title) == (entry.key, entry.paper.title)


def _check_support(answer: Answer) -> None:
    """Every claim cites, and is quoted or made of the words of what it cites."""
    for claim in answer.claims:
        assert claim.citations
        assert set(claim.citations) <= set(answer.citations)
        quotes = " ".join(citation.quote for citation in claim.citations)
        if _is_quote(claim):
            assert claim.text == quotes
        else:
            assert set(content_terms(claim.text)) <= set(content_terms(quotes))
            assert numbers(claim.text) <= numbers(quotes)


def control_tokens(model: LlamaModel, messages: Sequence[Message]) -> int:
    """How many tokens of the prompt are control tokens of the model's vocabulary."""
    control = llama_cpp.LLAMA_TOKEN_ATTR_CONTROL | llama_cpp.LLAMA_TOKEN_ATTR_UNKNOWN
    return sum(
        bool(llama_cpp.llama_vocab_get_attr(model._vocab(), token) & control) for token in model._tokens(messages)
    )


class Obedient:
    """A language model that does whatever a paper or a question demands, grammar or not: the worst there can be."""

    name = "obedient"
    context_tokens = 1024
    parameters = 0

    def __init__(self, text: str = "") -> None:
        self.text = text
        self.asked: list[Sequence[Message]] = []

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Tokens, at four characters each."""
        return sum(len(message.content) for message in messages) // 4

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
        """Write the text that is demanded."""
        self.asked.append(messages)
        yield Reading(1, 1)
        for start in range(0, len(self.text), 8):
            yield Token(self.text[start : start + 8])
