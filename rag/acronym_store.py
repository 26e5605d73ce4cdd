"""The adapter of the collection's own acronyms: which passage defines which, in SQLite. Knows integer ids and text.

Short and long forms are kept as the stems of `terms.py`, joined by spaces, and as they are written.
"""

import re
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from rag.acronyms import find_acronyms
from rag.sqlite import open_derived
from rag.terms import terms

_TABLES = (
    """CREATE TABLE IF NOT EXISTS acronyms (short TEXT, long TEXT, short_written TEXT, long_written TEXT,
    passage INTEGER, PRIMARY KEY (short, long, passage)) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS acronyms_long ON acronyms (long)",
    "CREATE INDEX IF NOT EXISTS acronyms_passage ON acronyms (passage)",
)
_MOST_FORMS = 2  # of an acronym that stands for several things
_LONGEST_FORM = 12  # words


class AcronymStore:
    """A file with one row a definition. Usable from several threads, one at a time."""

    def __init__(self, path: Path) -> None:
        """Open or create the store at `path`. Raises IndexMismatchError if it cannot be read."""
        self._lock = threading.Lock()
        look = "SELECT count(short_written), count(long_written) FROM acronyms WHERE 0"
        self._db = open_derived(path, _TABLES, look, "list of acronyms")

    def replace(self, delete: Iterable[int], add: Iterable[tuple[int, str]]) -> None:
        """Forget what the passages of `delete` define; keep what the `(id, text)` pairs of `add` do, and that alone."""
        texts = list(add)
        rows = [
            (" ".join(terms(acronym.short)), " ".join(terms(acronym.long)), acronym.short, acronym.long, i)
            for i, text in texts
            for acronym in find_acronyms(text)
        ]
        with self._lock, self._db:
            gone = [(i,) for i in {*delete, *(i for i, _ in texts)}]
            self._db.executemany("DELETE FROM acronyms WHERE passage = ?", gone)
            self._db.executemany("INSERT OR IGNORE INTO acronyms VALUES (?, ?, ?, ?, ?)", rows)

    def other_forms(self, question: str) -> list[tuple[str, str]]:
        """Long forms of its acronyms and acronyms of its long forms that a question lacks: `(what it says, form)`."""
        with self._lock:
            held = _phrases(question)
            shorts = [(long, short) for long in sorted(held) for short in self._shorts(long)]
            return [*self._long_forms(question), *((long, short) for long, short in shorts if short not in held)]

    def spelled_out(self, question: str) -> str:
        """`question` with the long forms of its acronyms after it, in brackets: what an embedding model understands."""
        with self._lock:
            longs = dict(reversed(self._long_forms(question)))  # the most frequent of each
            written = [self._as_written(long) for long in longs.values()]
        return f"{question} ({'; '.join(written)})" if written else question

    def _long_forms(self, question: str) -> list[tuple[str, str]]:
        held = _phrases(question)
        found: dict[str, str] = {}
        for name in sorted(held):
            # "llms" in small letters is no plural by its look.
            for short in (name, name[:-1]) if len(name) > 2 and name.endswith("s") else (name,):
                found.update({long: short for long in self._longs(short, question) if long not in found})
        return [(short, long) for long, short in found.items() if long not in held]

    def _longs(self, short: str, question: str) -> list[str]:
        """What `short` stands for, the most frequent first, if the question writes it as an acronym."""
        rows = self._db.execute(
            "SELECT long, group_concat(DISTINCT short_written) FROM acronyms WHERE short = ? "
            "GROUP BY long ORDER BY count(*) DESC, long LIMIT ?",
            (short, _MOST_FORMS),
        ).fetchall()
        return [long for long, written in rows if any(_is_meant(way, question) for way in written.split(","))]

    def _shorts(self, long: str) -> list[str]:
        query = "SELECT short FROM acronyms WHERE long = ? GROUP BY short ORDER BY count(*) DESC, short LIMIT ?"
        return [row[0] for row in self._db.execute(query, (long, _MOST_FORMS))]

    def _as_written(self, long: str) -> str:
        """A long form as most of the passages that define it write it."""
        rows = self._db.execute("SELECT long_written FROM acronyms WHERE long = ?", (long,)).fetchall()
        written = Counter(str(row[0]) for row in rows)
        return min(written, key=lambda text: (-written[text], text))

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()


def _is_meant(written: str, question: str) -> bool:
    """Whether the question has an acronym as it is `written`, or in small letters where that can be no common word.

    "How do people map rivers" does not mean MAP; "rlhf" can mean nothing else.
    """
    word = rf"(?<!\w){re.escape(written)}s?(?!\w)"
    no_word = not re.search("[aeiouy]", written.casefold())
    return re.search(word, question, re.IGNORECASE if no_word else 0) is not None


def _phrases(question: str) -> set[str]:
    words: Sequence[str] = terms(question)
    return {" ".join(words[i : i + n]) for n in range(1, _LONGEST_FORM + 1) for i in range(len(words) - n + 1)}
