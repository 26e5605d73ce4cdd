"""The Chroma adapter: vectors of passages and of sentences by integer id. Knows nothing of papers or text.

Chroma is a cache of what the catalog and the embedding model give; it can be thrown away and rebuilt. Two processes
that write to one folder lose vectors, so the caller holds a lock (see `build.py`).
"""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import chromadb
import numpy as np
from chromadb.config import Settings

from rag.errors import REINDEX, IndexMismatchError
from rag.records import Vectors

# Accuracy before speed: at these sizes a query costs milliseconds either way.
_HNSW = {"space": "cosine", "ef_construction": 200, "ef_search": 400, "max_neighbors": 24}


class Kind(StrEnum):
    """What a vector stands for; each kind has its own collection."""

    PASSAGE = "passages"
    SENTENCE = "sentences"


class VectorStore:
    """A folder with one Chroma collection a kind. Ids are integers, similarities are cosines."""

    def __init__(self, folder: Path) -> None:
        """Open or create the store in `folder`. Raises IndexMismatchError if Chroma cannot read what is there."""
        folder.mkdir(parents=True, exist_ok=True)
        try:
            self._client = chromadb.PersistentClient(
                str(folder), settings=Settings(anonymized_telemetry=False, allow_reset=False)
            )
            self._collections = {kind: self._open(kind) for kind in Kind}
        except IndexMismatchError:
            raise
        except Exception as error:
            raise IndexMismatchError(
                f"the vector index in {folder} cannot be opened ({type(error).__name__}: {error}). {REINDEX}"
            ) from error
        self._batch = int(self._client.get_max_batch_size())

    def _open(self, kind: Kind) -> Any:
        # Without embedding_function=None Chroma attaches a default model and downloads it.
        collection = self._client.get_or_create_collection(
            kind.value, embedding_function=None, configuration={"hnsw": _HNSW}
        )
        # An existing collection silently keeps its own distance.
        space = (collection.configuration_json.get("hnsw") or {}).get("space")
        if space != "cosine":
            raise IndexMismatchError(f"the vector index measures {space!r}, not cosine. {REINDEX}")
        return collection

    def upsert(self, kind: Kind, ids: Sequence[int], vectors: Vectors) -> None:
        """Add or replace vectors; `vectors` has shape (len(ids), dimensions)."""
        for start in range(0, len(ids), self._batch):
            part = slice(start, start + self._batch)
            self._collections[kind].upsert(ids=[str(i) for i in ids[part]], embeddings=vectors[part])

    def delete(self, kind: Kind, ids: Sequence[int]) -> None:
        """Remove vectors; ids that are not there do not matter."""
        for start in range(0, len(ids), self._batch):
            self._collections[kind].delete(ids=[str(i) for i in ids[start : start + self._batch]])

    def query(self, kind: Kind, vector: Vectors, count: int) -> list[tuple[int, float]]:
        """The `count` nearest ids with their cosines, nearest first; `vector` has shape (dimensions,)."""
        found = self._collections[kind].query(query_embeddings=[vector], n_results=max(1, count), include=["distances"])
        return [(int(i), 1.0 - float(d)) for i, d in zip(found["ids"][0], found["distances"][0], strict=True)]

    def similarities(self, kind: Kind, ids: Sequence[int], vector: Vectors) -> dict[int, float]:
        """Cosine of `vector` with each of `ids` that is in the store."""
        if not ids:
            return {}
        found = self._collections[kind].get(ids=[str(i) for i in ids], include=["embeddings"])
        scores = np.asarray(found["embeddings"], dtype=np.float32).reshape(len(found["ids"]), -1) @ vector
        return {int(i): float(score) for i, score in zip(found["ids"], scores, strict=True)}

    def count(self, kind: Kind) -> int:
        """Vectors of one kind."""
        return int(self._collections[kind].count())

    def close(self) -> None:
        """Let go of the files."""
        self._client.close()
