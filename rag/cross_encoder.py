"""The adapter of sentence-transformers' cross-encoders: a question and a text, read together -> how relevant the text
is, on this machine. Nothing is cut off, and nothing downloaded unless a model is named that is not here.
"""

import hashlib
import logging
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from threading import Lock

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import numpy as np
import torch
from sentence_transformers import CrossEncoder
from transformers.utils import logging as transformers_logging

from rag.digests import folder_digest
from rag.errors import ModelError

# Between two batches a user can stop it. On a CPU larger ones are no faster (eval/LOG.md).
_CPU_BATCH = 4
_GPU_BATCH = 64
_CHOOSE = (
    "Set reranker to a folder, or to the name of a sentence-transformers CrossEncoder with one output, for instance "
    "cross-encoder/ms-marco-MiniLM-L6-v2 (downloaded once, which needs the internet), or rerank_papers to 0."
)


class RelevanceModel:
    """A cross-encoder with one output, by path or name, on the GPU if torch has one. For several threads."""

    def __init__(self, name: str, path: str) -> None:
        """Load the model at `path` (a folder, or a Hugging Face name).

        Raises ModelError if it cannot be loaded, is no cross-encoder, or has more than one output.
        """
        transformers_logging.disable_progress_bar()
        logging.getLogger("sentence_transformers").setLevel(logging.ERROR)
        self._folder = Path(path) if Path(path).is_dir() else None
        try:
            # A folder needs no hub, and the hub must not be asked behind the user's back.
            local = self._folder is not None
            self._model = CrossEncoder(path, local_files_only=local, model_kwargs={"dtype": torch.float32})
        except Exception as error:
            raise ModelError(f"reranker {name!r} cannot be loaded ({_reason(error)}). {_CHOOSE}") from error
        if not _is_cross_encoder(self._model):
            raise ModelError(f"reranker {name!r} is no cross-encoder: it has no part that tells relevance. {_CHOOSE}")
        if self._model.num_labels != 1:
            raise ModelError(
                f"reranker {name!r} has {self._model.num_labels} outputs: it tells classes, not relevance. {_CHOOSE}"
            )
        self.name = name
        self.max_tokens = int(self._model.max_seq_length or 512)
        self.batch = _CPU_BATCH if str(self._model.device).startswith("cpu") else _GPU_BATCH
        self._prompt = self._model.prompts.get(self._model.default_prompt_name)
        # Two that read at once would only slow each other down, and share a tokenizer that is made for one.
        self._lock = Lock()

    def count_tokens(self, question: str, texts: Sequence[str]) -> list[int]:
        """Tokens of `question` together with each of `texts` as the model reads them, without truncation."""
        if not texts:
            return []
        whole = {"text": {"truncation": False, "verbose": False}}
        pairs = [(question, text) for text in texts]
        with self._lock:
            found = self._model.preprocess(pairs, prompt=self._prompt, processing_kwargs=whole)
        return [int(count) for count in found["attention_mask"].sum(dim=1)]

    def scores(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """How relevant the text of each (question, text) is: the model's output, on a scale of its own, without bounds.

        Each pair must fit `max_tokens`, see `count_tokens`. Raises ModelError where the model fails.
        """
        try:
            with self._lock:
                # Not the probability that some models make of their output: near 1, floats have no room to differ.
                found = self._model.predict(
                    list(pairs),
                    prompt=self._prompt,
                    batch_size=self.batch,
                    activation_fn=torch.nn.Identity(),
                    show_progress_bar=False,
                )
            scores = np.asarray(found, dtype=np.float64)
            if scores.shape != (len(pairs),) or not np.isfinite(scores).all():
                raise ValueError("it does not give a finite number for each text")
        except Exception as error:
            raise ModelError(f"reranker {self.name!r} cannot order papers ({_reason(error)}). {_CHOOSE}") from error
        return [float(score) for score in scores]

    @cached_property
    def digest(self) -> str:
        """Digest that tells one model from another: of its files, or of its weights where it was loaded by name."""
        if self._folder:
            return folder_digest(self._folder)
        hasher = hashlib.sha256()
        for key, weights in sorted(self._model.state_dict().items()):
            hasher.update(key.encode())
            hasher.update(weights.cpu().contiguous().numpy().tobytes())
        return hasher.hexdigest()


def _is_cross_encoder(model: CrossEncoder) -> bool:
    """Whether the files are those of a cross-encoder.

    The library makes one of any model, with a last layer of random numbers where there is none.
    """
    architectures = getattr(model.config, "architectures", None) or ()
    # Of a model that was saved as a cross-encoder the library knows the modules.
    return bool(model.module_kwargs) or any(name.endswith("ForSequenceClassification") for name in architectures)


def _reason(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
