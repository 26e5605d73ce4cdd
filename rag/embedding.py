"""The sentence-transformers adapter: texts -> unit vectors on this machine, nothing cut off, nothing downloaded
unless a model is named that is not here.
"""

import hashlib
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from transformers.utils import logging as transformers_logging

from rag.digests import folder_digest
from rag.errors import ModelError
from rag.records import TokenVectors, Vectors

# Of a model, by its digest: the layer whose token vectors are added to those of the last, and how much the match of
# tokens counts beside the other rankings. Measured (eval/LOG.md); of any other model the last layer is taken alone.
_TOKENS = {
    # all-mpnet-base-v2, twelve layers: the last are near to meaning, those before nearer to words.
    "c04346ad160a880ed48df9c79a0e91f42d98086c48be339cf3c9c98a3e7b8d13": (9, 8.0),
}
_LAST_LAYER_ALONE = (0, 4.0)
# On a CPU, small batches of texts of like length waste less padding: 2x over the library's default of 32.
_CPU_BATCH = 8
_GPU_BATCH = 256


class SentenceEmbedder:
    """An embedding model by path or name, on the GPU if torch has one."""

    def __init__(self, name: str, path: str) -> None:
        """Load the model at `path` (a folder, or a Hugging Face name). Raises ModelError if it cannot be loaded."""
        transformers_logging.disable_progress_bar()
        logging.getLogger("sentence_transformers").setLevel(logging.ERROR)
        try:
            # A folder needs no hub, and the hub must not be asked behind the user's back.
            local = Path(path).is_dir()
            self._model = SentenceTransformer(path, local_files_only=local, model_kwargs={"dtype": torch.float32})
        except Exception as error:
            reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise ModelError(
                f"embedding model {name!r} cannot be loaded ({reason}). Use 'bundled', a folder, or the name of a "
                "sentence-transformers model (downloaded once, which needs the internet)."
            ) from error
        self.name = name
        self.dimensions = int(self._model.get_embedding_dimension() or 0)
        self.max_tokens = int(self._model.max_seq_length or 512)
        self.digest = _digest(path, self._model)
        layer, self.token_weight = _TOKENS.get(self.digest, _LAST_LAYER_ALONE)
        if layer:
            self._model.append(_WithLayer(self._model[0].auto_model.encoder.layer[layer - 1]))
        on_cpu = str(self._model.device).startswith("cpu")
        self._batch = _CPU_BATCH if on_cpu else _GPU_BATCH

    @property
    def transformer(self) -> Any:
        """The model of the transformers library within, for who builds on it; its weights are not to be changed."""
        return self._model[0].auto_model

    @property
    def tokenizer(self) -> Any:
        """Its tokenizer."""
        return self._model.tokenizer

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, shape (len(texts), dimensions). Texts must fit `max_tokens`: see `chunking.py`."""
        if not texts:
            return np.empty((0, self.dimensions), dtype=np.float32)
        vectors = self._model.encode(
            list(texts),
            batch_size=self._batch,
            normalize_embeddings=True,
            show_progress_bar=False,
            convert_to_numpy=True,
        )
        return np.asarray(vectors, dtype=np.float32)

    def encode_tokens(self, texts: Sequence[str]) -> tuple[Vectors, list[TokenVectors]]:
        """What `encode` gives, and from the same pass through the model the unit vectors of each text's tokens."""
        if not texts:
            return self.encode(texts), []
        found = self._model.encode(
            list(texts), batch_size=self._batch, normalize_embeddings=True, show_progress_bar=False, output_value=None
        )
        special = torch.tensor(self._model.tokenizer.all_special_ids)
        vectors = torch.stack([one["sentence_embedding"].cpu().float() for one in found])
        # Asked for everything, the library does not normalise.
        unit = torch.nn.functional.normalize(vectors, dim=1).numpy()
        return np.asarray(unit, dtype=np.float32), [_token_vectors(one, special) for one in found]

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        """Start and end of each token of `text`, special ones left out, as `encode_tokens` orders them."""
        tokenizer = self._model.tokenizer
        if not tokenizer.is_fast:
            return []
        found = tokenizer(text, return_offsets_mapping=True, truncation=False, verbose=False)
        special = set(tokenizer.all_special_ids)
        pairs = zip(found["input_ids"], found["offset_mapping"], strict=True)
        return [(int(start), int(end)) for token, (start, end) in pairs if token not in special]

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, special tokens included, without truncation."""
        if not texts:
            return []
        encoded = self._model.tokenizer(list(texts), truncation=False, padding=False, verbose=False)
        return [len(ids) for ids in encoded["input_ids"]]


class _WithLayer(torch.nn.Module):
    """Adds the token vectors of an earlier layer to those of the last; the pooling before it sees the last alone."""

    def __init__(self, layer: torch.nn.Module) -> None:
        super().__init__()
        self._output: torch.Tensor | None = None
        layer.register_forward_hook(self._keep)

    def _keep(self, _layer: torch.nn.Module, _given: Any, output: Any) -> None:
        self._output = output[0] if isinstance(output, tuple) else output

    def forward(self, features: dict[str, Any]) -> dict[str, Any]:
        """`features` with other token vectors."""
        unit = torch.nn.functional.normalize
        earlier, self._output = self._output, None
        assert earlier is not None
        features["token_embeddings"] = unit(earlier, dim=-1) + unit(features["token_embeddings"], dim=-1)
        return features


def _token_vectors(found: Any, special: torch.Tensor) -> TokenVectors:
    ids = found["input_ids"].cpu()[: len(found["token_embeddings"])]
    kept = ~torch.isin(ids, special)
    vectors = torch.nn.functional.normalize(found["token_embeddings"].cpu()[kept].float(), dim=1)
    return TokenVectors(ids[kept].numpy().astype(np.int32), vectors.numpy())


def _digest(path: str, model: SentenceTransformer) -> str:
    """Digest that tells one embedding model from another: of its files, or of a probe vector without files.

    The probe is coarse, so that it is the same on another processor.
    """
    if Path(path).is_dir():
        return folder_digest(Path(path))
    probe = np.asarray(model.encode(["a probe sentence"], show_progress_bar=False), dtype=np.float32)
    return hashlib.sha256(np.sign(probe).astype(np.int8).tobytes()).hexdigest()
