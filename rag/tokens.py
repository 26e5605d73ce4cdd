"""The token-vector adapter: for each passage the vectors of its tokens, in SQLite, for late interaction.

The best match of each question token among a passage's tokens, summed over the question, is what ColBERT calls MaxSim
(Khattab & Zaharia 2020); here with the tokens that the embedding model makes anyway, without training for it. A vector
is kept as bytes, scaled by its largest part: the cosine does not depend on the scale. Knows integer ids, not papers.
"""

import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rag.records import TokenVectors, Vectors
from rag.sqlite import open_derived

_PASSAGES_A_BLOCK = 200  # about 80 MB at 250 tokens of 384 numbers
_IDS_A_QUERY = 500  # below SQLite's limit of bound values


_TABLES = (
    "CREATE TABLE IF NOT EXISTS passages (id INTEGER PRIMARY KEY, ids BLOB, vectors BLOB)",
    "CREATE TABLE IF NOT EXISTS frequencies (token INTEGER PRIMARY KEY, passages INTEGER)",
)


class TokenStore:
    """A file with one row a passage. Usable from several threads, one at a time."""

    def __init__(self, path: Path) -> None:
        """Open or create the store at `path`. Raises IndexMismatchError if it cannot be read."""
        self._lock = threading.Lock()
        self._db = open_derived(path, _TABLES, "SELECT count(*) FROM passages, frequencies WHERE 0", "token vectors")
        # Counting walks through all the vectors: once, not at each search.
        self._count = int(self._db.execute("SELECT count(*) FROM passages").fetchone()[0])

    def replace(self, delete: Iterable[int], add: Iterable[tuple[int, TokenVectors]]) -> None:
        """Remove the ids of `delete`, add `(id, tokens)` pairs in place of what their ids had, in one transaction."""
        rows = [(i, tokens.ids.astype("<i4"), _quantised(tokens.vectors)) for i, tokens in add]
        with self._lock, self._db:
            change: Counter[int] = Counter()
            removed = 0
            for i in {*delete, *(row[0] for row in rows)}:
                found = self._db.execute("SELECT ids FROM passages WHERE id = ?", (i,)).fetchone()
                if found:
                    removed += 1
                    change.subtract(set(np.frombuffer(found[0], "<i4").tolist()))
                    self._db.execute("DELETE FROM passages WHERE id = ?", (i,))
            for i, ids, vectors in rows:
                change.update(set(ids.tolist()))
                self._db.execute("INSERT INTO passages VALUES (?, ?, ?)", (i, ids.tobytes(), vectors.tobytes()))
            self._db.executemany(
                "INSERT INTO frequencies VALUES (?1, ?2) ON CONFLICT(token) DO UPDATE SET passages = passages + ?2",
                [(token, more) for token, more in change.items() if more],
            )
        self._count += len(rows) - removed

    def matches(self, question: Vectors, ids: Sequence[int]) -> dict[int, Vectors]:
        """For each of `ids` that is in the store, the best cosine of each question token, shape (question tokens,).

        `question` are unit vectors, shape (tokens, dimensions).
        """
        rows: list[tuple[int, bytes]] = []
        with self._lock:
            for start in range(0, len(ids), _IDS_A_QUERY):
                part = list(ids[start : start + _IDS_A_QUERY])
                marks = ",".join("?" * len(part))
                rows += self._db.execute(f"SELECT id, vectors FROM passages WHERE id IN ({marks})", part).fetchall()
        best: dict[int, Vectors] = {}
        for start in range(0, len(rows), _PASSAGES_A_BLOCK):
            block = [
                (i, np.frombuffer(blob, np.int8).reshape(-1, question.shape[1]))
                for i, blob in rows[start : start + _PASSAGES_A_BLOCK]
                if blob
            ]
            if block:
                tokens = np.concatenate([part for _, part in block]).astype(np.float32)
                norms = np.sqrt(np.einsum("ij,ij->i", tokens, tokens))
                cosines = (tokens @ question.T) / np.maximum(norms, 1e-9)[:, None]
                starts = np.cumsum([0, *(len(part) for _, part in block[:-1])])
                best.update(zip((i for i, _ in block), np.maximum.reduceat(cosines, starts, axis=0), strict=True))
        return best

    def idf(self, tokens: Sequence[int]) -> Vectors:
        """Weight of each token by how few passages hold it, ln((n + 1) / (df + 0.5)), shape (len(tokens),)."""
        with self._lock:
            held = [
                self._db.execute("SELECT passages FROM frequencies WHERE token = ?", (int(token),)).fetchone()
                for token in tokens
            ]
        frequencies = np.array([row[0] if row else 0 for row in held], dtype=np.float32)
        return np.asarray(np.maximum(np.log((self._count + 1) / (frequencies + 0.5)), 0.0), dtype=np.float32)

    def count(self) -> int:
        """Passages in the store."""
        return self._count

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()


def _quantised(vectors: Vectors) -> npt.NDArray[np.int8]:
    scale = np.maximum(np.abs(vectors).max(axis=1, keepdims=True), 1e-9)
    return np.asarray(np.rint(vectors / scale * 127), dtype=np.int8)
