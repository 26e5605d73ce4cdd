"""Small deterministic stand-ins for the models."""

import hashlib
import re
from collections.abc import Generator, Mapping, Sequence
from threading import Event

import numpy as np

from rag.errors import UsageError
from rag.records import Comprehension, Message, Reading, Sampling, Token, TokenVectors, Vectors
from rag.terms import content_terms


class FakeEmbedder:
    """Bag of stems, hashed to unit vectors: texts that share words are near. A token is a word."""

    name = "fake"
    digest = "fake-digest"
    dimensions = 64
    token_weight = 4.0

    def __init__(self, max_tokens: int = 40) -> None:
        self.max_tokens = max_tokens
        self.encoded: list[str] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.encoded.extend(texts)
        too_long = [t for t, n in zip(texts, self.count_tokens(texts), strict=True) if n > self.max_tokens]
        assert not too_long, f"would be truncated: {too_long[0][:80]!r}"
        vectors = np.full((len(texts), self.dimensions), 1e-3, dtype=np.float32)
        for row, text in enumerate(texts):
            for term in content_terms(text):
                vectors[row, int(hashlib.sha256(term.encode()).hexdigest(), 16) % self.dimensions] += 1.0
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)

    def encode_tokens(self, texts: Sequence[str]) -> tuple[Vectors, list[TokenVectors]]:
        return self.encode(texts), [self._tokens(text) for text in texts]

    def _tokens(self, text: str) -> TokenVectors:
        ids = [int(hashlib.sha256(term.encode()).hexdigest(), 16) % self.dimensions for term in content_terms(text)]
        return TokenVectors(np.array(ids, dtype=np.int32), np.eye(self.dimensions, dtype=np.float32)[ids])

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        places = {term: word.span() for word in re.finditer(r"[^\W_]+", text) for term in content_terms(word[0])}
        return [places.get(term, (0, 0)) for term in content_terms(text)]

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(re.findall(r"\w+|[^\w\s]", text)) + 2 for text in texts]


class FakeModel:
    """Writes what it is told to, a few characters at a time, whatever it is asked. A token is a word."""

    name = "fake"

    def __init__(self, text: str = "", context_tokens: int = 2000) -> None:
        self.text = text
        self.context_tokens = context_tokens
        self.asked: list[Sequence[Message]] = []
        self.grammars: list[str] = []
        self.streamed = 0
        self.parameters = 0
        self.samplings: list[Sampling | None] = []
        self.biases: list[Mapping[str, float] | None] = []

    def count_tokens(self, messages: Sequence[Message]) -> int:
        return sum(len(message.content.split()) + 4 for message in messages)

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
        if self.count_tokens(messages) + max_tokens > self.context_tokens:
            raise UsageError("too long")
        self.asked.append(messages)
        self.grammars.append(grammar)
        self.samplings.append(sampling)
        self.biases.append(bias)
        yield Reading(0, 1)
        for piece in re.findall(r".{1,4}", self.text, re.DOTALL):
            if cancel.is_set():
                return
            self.streamed += len(piece)
            yield Token(piece)

    def close(self) -> None:
        pass


class FakeComprehender:
    """Takes a paper to answer whatever it is asked, in its first sentence."""

    def comprehend(self, question: str, papers: Sequence[tuple[str, Sequence[str]]]) -> list[Comprehension]:
        return [Comprehension(0.5, 0.1, tuple(float(i == 0) for i in range(len(sentences)))) for _, sentences in papers]
