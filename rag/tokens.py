"""The token-vector adapter: for each passage the vectors of its tokens, in SQLite, for late interaction.

The best match of each question token among a passage's tokens, summed over the question, is what ColBERT calls MaxSim
(Khattab & Zaharia 2020); here with the tokens that the embedding model makes anyway, without training for it. Of a
vector only the signs are kept, one bit a dimension: measured, that ranks as well as all of it in an eighth of the room
of bytes (eval/LOG.md). Knows integer ids, not papers.
"""

import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from rag.records import TokenVectors, Vectors
from rag.sqlite import open_derived

_PASSAGES_A_BLOCK = 50  # about 20 MB unpacked at 250 tokens of 384 numbers
_IDS_A_QUERY = 500  # below SQLite's limit of bound values
_ALL = -1  # the row of `frequencies` that counts passages: counting rows would walk through all the vectors


_TABLES = (
    "CREATE TABLE IF NOT EXISTS passages (id INTEGER PRIMARY KEY, ids BLOB, signs BLOB)",
    "CREATE TABLE IF NOT EXISTS frequencies (token INTEGER PRIMARY KEY, passages INTEGER)",
)


class TokenStore:
    """A file with one row a passage. Usable from several threads, one at a time."""

    def __init__(self, path: Path) -> None:
        """Open or create the store at `path`. Raises IndexMismatchError if it cannot be read."""
        self._lock = threading.Lock()
        look = "SELECT count(ids), count(signs) FROM passages, frequencies WHERE 0"
        self._db = open_derived(path, _TABLES, look, "token vectors")

    def replace(self, delete: Iterable[int], add: Iterable[tuple[int, TokenVectors]]) -> None:
        """Remove the ids of `delete`, add `(id, tokens)` pairs in place of what their ids had, in one transaction."""
        rows = [(i, np.unique(tokens.ids).astype("<i4"), np.packbits(tokens.vectors > 0, axis=1)) for i, tokens in add]
        with self._lock, self._db:
            change: Counter[int] = Counter()
            for i in {*delete, *(row[0] for row in rows)}:
                found = self._db.execute("SELECT ids FROM passages WHERE id = ?", (i,)).fetchone()
                if found:
                    change.subtract([_ALL, *np.frombuffer(found[0], "<i4").tolist()])
                    self._db.execute("DELETE FROM passages WHERE id = ?", (i,))
            for i, ids, signs in rows:
                change.update([_ALL, *ids.tolist()])
                self._db.execute("INSERT INTO passages VALUES (?, ?, ?)", (i, ids.tobytes(), signs.tobytes()))
            self._db.executemany(
                "INSERT INTO frequencies VALUES (?1, ?2) ON CONFLICT(token) DO UPDATE SET passages = passages + ?2",
                [(token, more) for token, more in change.items() if more],
            )

    def matches(self, question: Vectors, ids: Sequence[int]) -> dict[int, Vectors]:
        """For each of `ids` that is in the store, the best match of each question token, shape (question tokens,).

        `question` are unit vectors, shape (tokens, dimensions). A match is the cosine with the signs of a token.
        """
        dimensions = question.shape[1]
        rows: list[tuple[int, bytes]] = []
        with self._lock:
            for start in range(0, len(ids), _IDS_A_QUERY):
                part = list(ids[start : start + _IDS_A_QUERY])
                marks = ",".join("?" * len(part))
                rows += self._db.execute(f"SELECT id, signs FROM passages WHERE id IN ({marks})", part).fetchall()
        rows = [row for row in rows if row[1]]
        best: dict[int, Vectors] = {}
        # q . (2 bits - 1) = 2 q . bits - sum(q)
        shift = question.sum(axis=1)
        for start in range(0, len(rows), _PASSAGES_A_BLOCK):
            block = rows[start : start + _PASSAGES_A_BLOCK]
            packed = [np.frombuffer(blob, np.uint8).reshape(-1, -(-dimensions // 8)) for _, blob in block]
            bits = np.unpackbits(np.concatenate(packed), axis=1, count=dimensions).astype(np.float32)
            cosines = (2 * (bits @ question.T) - shift) / np.sqrt(dimensions)
            starts = np.cumsum([0, *(len(part) for part in packed[:-1])])
            best.update(zip((i for i, _ in block), np.maximum.reduceat(cosines, starts, axis=0), strict=True))
        return best

    def idf(self, tokens: Sequence[int]) -> Vectors:
        """Weight of each token by how few passages hold it, ln((n + 1) / (df + 0.5)), shape (len(tokens),)."""
        frequencies = np.array([self._held(int(token)) for token in tokens], dtype=np.float32)
        return np.asarray(np.maximum(np.log((self.count() + 1) / (frequencies + 0.5)), 0.0), dtype=np.float32)

    def count(self) -> int:
        """Passages in the store."""
        return self._held(_ALL)

    def _held(self, token: int) -> int:
        with self._lock:
            row = self._db.execute("SELECT passages FROM frequencies WHERE token = ?", (token,)).fetchone()
        return int(row[0]) if row else 0

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()
