"""The sentence-vector adapter: for each paper the vectors of its sentences, in SQLite, looked up by paper.

Sentences are compared only once their paper is a candidate, so they need no graph over all of them: a million papers
have some eight million. A vector is kept as bytes, scaled by its largest part: the cosine does not depend on the scale.
Knows integer ids, not papers.
"""

import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from rag.records import Vectors
from rag.sqlite import open_derived

_IDS_A_QUERY = 500  # below SQLite's limit of bound values
_TABLES = (
    "CREATE TABLE IF NOT EXISTS papers (id INTEGER PRIMARY KEY, sentences INTEGER, vectors BLOB)",
    "CREATE TABLE IF NOT EXISTS totals (name TEXT PRIMARY KEY, number INTEGER)",
)


class SentenceStore:
    """A file with one row a paper. Usable from several threads, one at a time."""

    def __init__(self, path: Path) -> None:
        """Open or create the store at `path`. Raises IndexMismatchError if it cannot be read."""
        self._lock = threading.Lock()
        look = "SELECT count(sentences), count(number) FROM papers, totals WHERE 0"
        self._db = open_derived(path, _TABLES, look, "sentence vectors")

    def replace(self, papers: Iterable[tuple[int, Vectors]]) -> None:
        """Keep these vectors of each paper, shape (sentences, dimensions), in place of what it had."""
        with self._lock, self._db:
            change = 0
            for i, vectors in papers:
                found = self._db.execute("SELECT sentences FROM papers WHERE id = ?", (i,)).fetchone()
                change += len(vectors) - (found[0] if found else 0)
                row = (i, len(vectors), _quantised(vectors))
                self._db.execute("INSERT OR REPLACE INTO papers VALUES (?, ?, ?)", row)
            self._db.execute(
                "INSERT INTO totals VALUES ('sentences', ?1) ON CONFLICT(name) DO UPDATE SET number = number + ?1",
                (change,),
            )

    def similarities(self, vector: Vectors, ids: Sequence[int]) -> dict[int, Vectors]:
        """For each of `ids` that is in the store, the cosines of `vector` with its sentences, in their order."""
        rows: list[tuple[int, bytes]] = []
        with self._lock:
            for start in range(0, len(ids), _IDS_A_QUERY):
                part = list(ids[start : start + _IDS_A_QUERY])
                marks = ",".join("?" * len(part))
                rows += self._db.execute(f"SELECT id, vectors FROM papers WHERE id IN ({marks})", part).fetchall()
        found = {}
        for i, blob in rows:
            sentences = np.frombuffer(blob, np.int8).reshape(-1, len(vector)).astype(np.float32)
            found[i] = np.asarray(sentences @ vector / np.maximum(np.linalg.norm(sentences, axis=1), 1e-9), np.float32)
        return found

    def count(self) -> int:
        """Sentences in the store."""
        with self._lock:
            row = self._db.execute("SELECT number FROM totals WHERE name = 'sentences'").fetchone()
        return int(row[0]) if row else 0

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()


def _quantised(vectors: Vectors) -> bytes:
    if not len(vectors):
        return b""
    scale = np.maximum(np.abs(vectors).max(axis=1, keepdims=True), 1e-9)
    return np.asarray(np.rint(vectors / scale * 127), dtype=np.int8).tobytes()
