"""The adapter of the reader: a question and papers, read together -> does each answer it, and in which sentence?

The reader is a small network of our own on top of the bundled embedding model, whatever model the index was built
with. Its weights lie in `comprehension.safetensors`, made by `citable eval train-comprehension`; its figures stand in
`eval/LOG.md`.
"""

import copy
import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from rag.comprehension_network import ComprehensionNetwork, Outcome
from rag.errors import ModelError
from rag.records import Comprehension

_SHAPE = "shape"
_READS = "embedding_digest"


def shipped_weights() -> Path:
    """The weights that lie beside this module."""
    return Path(str(files("rag") / "comprehension.safetensors"))


def save_weights(network: ComprehensionNetwork, path: Path, digest: str, shape: Mapping[str, int]) -> None:
    """Write what was trained, as 16-bit numbers; `shape` is what the network was made with."""
    tensors = {name: value.detach().half().contiguous().cpu() for name, value in network.state_dict().items()}
    unfinished = path.with_suffix(".writing")
    save_file(tensors, unfinished, metadata={_READS: digest, _SHAPE: json.dumps(dict(shape))})
    unfinished.replace(path)


class Base(Protocol):
    """An embedding model that the reader stands on."""

    digest: str

    @property
    def transformer(self) -> Any:
        """The model of the transformers library."""

    @property
    def tokenizer(self) -> Any:
        """Its tokenizer."""


def own_tokenizer(base: Base) -> Any:
    """A copy of its tokenizer: padding and truncation are set on the object, and others use theirs at the same time."""
    tokenizer = copy.deepcopy(base.tokenizer)
    backend = tokenizer.backend_tokenizer
    backend.no_padding()
    backend.no_truncation()
    return tokenizer


class PaperComprehender:
    """Reads papers for questions. For several threads."""

    def __init__(self, base: Base, weights: Path | None = None) -> None:
        """Over the embedding model that the weights were trained for: those shipped, or others.

        Raises ModelError where these do not fit.
        """
        weights = weights or shipped_weights()
        try:
            with safe_open(weights, framework="pt") as stored:
                shape = json.loads(stored.metadata()[_SHAPE])
                if stored.metadata()[_READS] != base.digest:
                    raise ValueError("it was trained for another embedding model")
                tensors = {name: stored.get_tensor(name).float() for name in stored.keys()}  # noqa: SIM118  no mapping
            self._network = ComprehensionNetwork(base.transformer, own_tokenizer(base), **shape)
            self._network.load_state_dict(tensors)
        except Exception as error:
            reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise ModelError(f"the reader {weights} cannot be loaded ({reason}). Install Citable anew.") from error
        self._network.to(self._network.device).eval()
        self._lock = Lock()

    def comprehend(self, question: str, papers: Sequence[tuple[str, Sequence[str]]]) -> list[Comprehension]:
        """What each of `papers`, `(title, sentences)`, says to `question`. One without sentences answers nothing."""
        if not papers:
            return []
        with self._lock, torch.inference_mode():
            asked = self._network.questions([question])
            words = self._network.lower_questions(asked)
            return [self._read(words, asked.mask, title, sentences) for title, sentences in papers]

    def _read(self, words: torch.Tensor, mask: torch.Tensor, title: str, sentences: Sequence[str]) -> Comprehension:
        best, points = dict.fromkeys(Outcome, 0.0), [0.0] * len(sentences)
        for first, window in self._network.windows(title, sentences):
            found = self._network(self._network.lower_paper(window), window.sentences, words, mask)
            chances = torch.softmax(found.outcomes[0].cpu().double(), 0).tolist()
            # Of a paper that is read in parts, the part in which an outcome is likeliest counts for that.
            for outcome in Outcome:
                best[outcome] = max(best[outcome], chances[outcome])
            own = found.sentences[0].cpu().double()
            points[first : first + len(own)] = own.tolist()
        shares = torch.softmax(torch.tensor(points, dtype=torch.float64), 0).tolist() if points else []
        return Comprehension(best[Outcome.ANSWERED], best[Outcome.CONTRADICTED], tuple(shares))
