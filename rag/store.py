"""The Chroma adapter: vectors of passages by integer id, for the approximate nearest. Knows nothing of papers or text.

Chroma is a cache of what the catalog and the embedding model give; it can be thrown away and rebuilt. Two processes
that write to one folder lose vectors, so the caller holds a lock (see `build.py`).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import chromadb
import chromadb.errors
import numpy as np
from chromadb.config import Settings

from rag.errors import REINDEX, IndexMismatchError
from rag.records import Vectors

_COLLECTION = "passages"
# Of the 100 nearest among a million passages 99.5% are found, in 3 ms; with an ef_search of 256, 97.4% (eval/LOG.md).
_HNSW = {"space": "cosine", "ef_construction": 128, "ef_search": 512, "max_neighbors": 16}


class VectorStore:
    """A folder with one Chroma collection. Ids are integers, similarities are cosines.

    Of up to `exact` given ids the vectors are compared one by one: a graph of which few nodes count is walked for long.
    """

    exact = 4_000

    def __init__(self, folder: Path) -> None:
        """Open or create the store in `folder`. Raises IndexMismatchError if Chroma cannot read what is there."""
        folder.mkdir(parents=True, exist_ok=True)
        try:
            self._client = chromadb.PersistentClient(
                str(folder), settings=Settings(anonymized_telemetry=False, allow_reset=False)
            )
            self._collection = self._open()
        except IndexMismatchError:
            raise
        except Exception as error:
            raise IndexMismatchError(
                f"the vector index in {folder} cannot be opened ({type(error).__name__}: {error}). {REINDEX}"
            ) from error
        self._batch = int(self._client.get_max_batch_size())

    def _open(self) -> Any:
        # Without embedding_function=None Chroma attaches a default model and downloads it.
        collection = self._client.get_or_create_collection(
            _COLLECTION, embedding_function=None, configuration={"hnsw": _HNSW}
        )
        # An existing collection silently keeps its own distance.
        space = (collection.configuration_json.get("hnsw") or {}).get("space")
        if space != "cosine":
            raise IndexMismatchError(f"the vector index measures {space!r}, not cosine. {REINDEX}")
        return collection

    def upsert(self, ids: Sequence[int], vectors: Vectors) -> None:
        """Add or replace vectors; `vectors` has shape (len(ids), dimensions)."""
        for start in range(0, len(ids), self._batch):
            part = slice(start, start + self._batch)
            self._collection.upsert(ids=[str(i) for i in ids[part]], embeddings=vectors[part])

    def delete(self, ids: Sequence[int]) -> None:
        """Remove vectors; ids that are not there do not matter."""
        for start in range(0, len(ids), self._batch):
            self._collection.delete(ids=[str(i) for i in ids[start : start + self._batch]])

    def query(self, vector: Vectors, count: int, within: Sequence[int] | None = None) -> list[tuple[int, float]]:
        """The `count` nearest ids with their cosines, nearest first, of those in `within` if that is given.

        `vector` has shape (dimensions,). Raises IndexMismatchError where the index lacks what it should hold.
        """
        if within is not None and len(within) <= self.exact:
            return self._exact(vector, count, within)
        try:
            found = self._collection.query(
                query_embeddings=[vector],
                n_results=max(1, count),
                include=["distances"],
                ids=None if within is None else [str(i) for i in within],
            )
        except chromadb.errors.InternalError as error:
            # An id that is not there is one cause.
            raise IndexMismatchError(f"the vector index cannot be searched ({error}). {REINDEX}") from error
        return [(int(i), 1.0 - float(d)) for i, d in zip(found["ids"][0], found["distances"][0], strict=True)]

    def _exact(self, vector: Vectors, count: int, within: Sequence[int]) -> list[tuple[int, float]]:
        found = self._collection.get(ids=[str(i) for i in within], include=["embeddings"]) if within else {"ids": []}
        if not found["ids"]:
            return []
        vectors = np.asarray(found["embeddings"], dtype=np.float32)
        cosines = vectors @ vector / np.maximum(np.linalg.norm(vectors, axis=1), 1e-9)
        scored = zip(map(int, found["ids"]), map(float, cosines), strict=True)
        return sorted(scored, key=lambda item: (-item[1], item[0]))[:count]

    def count(self) -> int:
        """Vectors in the store."""
        return int(self._collection.count())

    def close(self) -> None:
        """Let go of the files."""
        self._client.close()
