"""The BM25 adapter: SQLite FTS5 over the stems of `terms.py`. Knows integer ids and text, nothing of papers.

SQLite's own full-text index adds and deletes in transactions on disk and comes with Python. Stemming and folding are
done before it, by the same function that evidence choice and verification use.
"""

import math
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from rag.sqlite import open_derived
from rag.terms import content_terms, terms

_TABLES = (
    "CREATE VIRTUAL TABLE IF NOT EXISTS passages USING fts5(body, tokenize='ascii')",
    "CREATE VIRTUAL TABLE IF NOT EXISTS vocabulary USING fts5vocab(passages, row)",
)


class LexicalIndex:
    """A file with one row a passage. Usable from several threads, one at a time."""

    def __init__(self, path: Path) -> None:
        """Open or create the index at `path`. Raises IndexMismatchError if it cannot be read."""
        self._lock = threading.Lock()
        self._db = open_derived(path, _TABLES, "SELECT count(*) FROM passages, vocabulary WHERE 0", "lexical index")

    def replace(self, delete: Iterable[int], add: Iterable[tuple[int, str]]) -> None:
        """Remove the ids of `delete` and add `(id, text)` pairs in place of what their ids had, in one transaction."""
        rows = [(i, _encode(terms(text))) for i, text in add]
        with self._lock, self._db:
            self._db.executemany("DELETE FROM passages WHERE rowid = ?", [(i,) for i in delete])
            self._db.executemany("DELETE FROM passages WHERE rowid = ?", [(i,) for i, _ in rows])
            self._db.executemany("INSERT INTO passages(rowid, body) VALUES (?, ?)", rows)

    def query(self, question: str, count: int) -> list[tuple[int, float]]:
        """The `count` best ids by BM25 with their scores (higher is better), over the question's content words."""
        words = content_terms(question) or terms(question)
        if not words:
            return []
        match = " OR ".join(f'"{word}"' for word in _encode(words).split())
        with self._lock:
            rows = self._db.execute(
                "SELECT rowid, -bm25(passages) FROM passages WHERE passages MATCH ? ORDER BY rank LIMIT ?",
                (match, count),
            ).fetchall()
        return [(int(i), float(score)) for i, score in rows]

    def idf(self, words: Sequence[str]) -> dict[str, float]:
        """Inverse document frequency of each stem, ln(1 + (N - n + 0.5) / (n + 0.5)) as in BM25 (Robertson 2009)."""
        encoded = {_encode([word]): word for word in words}
        with self._lock:
            total = self._db.execute("SELECT count(*) FROM passages").fetchone()[0]
            found = {
                row[0]: row[1]
                for term in encoded
                for row in self._db.execute("SELECT term, doc FROM vocabulary WHERE term = ?", (term,))
            }
        return {
            word: math.log(1 + (total - found.get(term, 0) + 0.5) / (found.get(term, 0) + 0.5))
            for term, word in encoded.items()
        }

    def count(self) -> int:
        """Passages in the index."""
        with self._lock:
            return int(self._db.execute("SELECT count(*) FROM passages").fetchone()[0])

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()


def _encode(words: Iterable[str]) -> str:
    """Words as FTS5's ascii tokenizer keeps them whole: letters and digits, all else in hexadecimal."""
    return " ".join(
        "".join(c if c.isascii() and c.isalnum() else f"x{ord(c):x}x" for c in word) for word in words if word
    )
