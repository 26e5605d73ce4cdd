"""The BM25 adapter: SQLite FTS5 over the stems of `terms.py`. Knows integer ids and text, nothing of papers.

SQLite's own full-text index adds and deletes in transactions on disk and comes with Python. Stemming and folding are
done before it, by the same function that evidence choice and verification use.
"""

import math
import re
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from rag.acronyms import find_acronyms
from rag.sqlite import open_derived
from rag.terms import STOP_WORDS, compounds, content_terms, normalise, seams, splits, terms

# To be raised whenever the same text makes other rows: stems of one version do not meet those of another.
FORMAT = 2
_TABLES = (
    "CREATE VIRTUAL TABLE IF NOT EXISTS passages USING fts5(body, tokenize='ascii')",
    "CREATE VIRTUAL TABLE IF NOT EXISTS vocabulary USING fts5vocab(passages, row)",
    """CREATE TABLE IF NOT EXISTS acronyms (short TEXT, long TEXT, short_written TEXT, long_written TEXT,
    passage INTEGER, PRIMARY KEY (short, long, passage)) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS acronyms_long ON acronyms (long)",
    "CREATE INDEX IF NOT EXISTS acronyms_passage ON acronyms (passage)",
)
_LOOK = "SELECT count(*) FROM passages, vocabulary, acronyms WHERE 0"
# Another way to write a word of the question, against the word itself (figures in eval/LOG.md).
_OTHER_WEIGHT = 0.5
_MOST_FORMS = 2  # of an acronym that stands for several things
_LONGEST_FORM = 12  # words


class LexicalIndex:
    """A file with one row a passage. Usable from several threads, one at a time."""

    def __init__(self, path: Path) -> None:
        """Open or create the index at `path`. Raises IndexMismatchError if it cannot be read."""
        self._lock = threading.Lock()
        self._db = open_derived(path, _TABLES, _LOOK, "lexical index", FORMAT)

    def replace(self, delete: Iterable[int], add: Iterable[tuple[int, str]]) -> None:
        """Remove the ids of `delete` and add `(id, text)` pairs in place of what their ids had, in one transaction."""
        texts = list(add)
        # What a Greek letter is glued to comes last, so that phrases of the text stay phrases.
        rows = [(i, _encode([*terms(text), *seams(text)])) for i, text in texts]
        acronyms = [
            (_encode(terms(acronym.short)), _encode(terms(acronym.long)), acronym.short, acronym.long, i)
            for i, text in texts
            for acronym in find_acronyms(text)
        ]
        gone = [(i,) for i in (*delete, *(i for i, _ in rows))]
        with self._lock, self._db:
            self._db.executemany("DELETE FROM passages WHERE rowid = ?", gone)
            self._db.executemany("DELETE FROM acronyms WHERE passage = ?", gone)
            self._db.executemany("INSERT INTO passages(rowid, body) VALUES (?, ?)", rows)
            self._db.executemany("INSERT OR IGNORE INTO acronyms VALUES (?, ?, ?, ?, ?)", acronyms)

    def query(self, question: str, count: int) -> list[tuple[int, float]]:
        """The `count` best ids by BM25 with their scores (higher is better), over the question's content words.

        Compounds are also looked for joined and apart, and what the collection defines as an acronym or its long form
        by the other of the two, for less weight than the words themselves. What is written in two ways is as rare as
        both together, or the rarer way would be the better (as in Pirkola's structured queries, SIGIR 1998).
        """
        words = [*(content_terms(question) or terms(question)), *seams(question)]
        with self._lock:
            scores = dict(self._matches([_encode([word]) for word in words], count))
            for own, form in (*self._compounds(question), *self._other_forms(question)):
                if found := self._matches([form], count):
                    weight = _OTHER_WEIGHT * self._rarity([own, form]) / self._rarity([form])
                    for passage, score in found:
                        scores[passage] = scores.get(passage, 0.0) + weight * score
        return sorted(scores.items(), key=lambda item: (-item[1], item[0]))[:count]

    def spelled_out(self, question: str) -> str:
        """`question` with the long forms of its acronyms after it, in brackets: what an embedding model understands."""
        with self._lock:
            longs = dict(reversed(self._long_forms(question)))  # the most frequent of each
            written = [self._as_written(long) for long in longs.values()]
        return f"{question} ({'; '.join(written)})" if written else question

    def _matches(self, phrases: Sequence[str], count: int) -> list[tuple[int, float]]:
        """The best passages that hold any of `phrases`, encoded terms with spaces between."""
        if not phrases:
            return []
        rows = self._db.execute(
            "SELECT rowid, -bm25(passages) FROM passages WHERE passages MATCH ? ORDER BY rank LIMIT ?",
            (_any_of(phrases), count),
        ).fetchall()
        return [(int(i), float(score)) for i, score in rows]

    def _rarity(self, phrases: Sequence[str]) -> float:
        """The idf that FTS5's bm25 would give a word that stands where any of `phrases` does."""
        total = self._db.execute("SELECT count(*) FROM passages").fetchone()[0]
        held = self._db.execute("SELECT count(*) FROM passages WHERE passages MATCH ?", (_any_of(phrases),)).fetchone()[
            0
        ]
        return max(1e-6, math.log((total - held + 0.5) / (held + 0.5)))

    def _compounds(self, question: str) -> list[tuple[str, str]]:
        """The words of a question joined or apart that the collection knows: `(what is asked, form)`."""
        ways = [(_encode(split.parts), _encode([split.joined])) for split in splits(question)]
        ways += [(_encode([compound.joined]), _encode(compound.parts)) for compound in compounds(question)]
        known = {
            term: self._db.execute("SELECT 1 FROM vocabulary WHERE term = ?", (term,)).fetchone()
            for term in dict.fromkeys(term for form, _ in ways for term in form.split())
        }
        return [(own, form) for form, own in ways if all(known[term] for term in form.split())]

    def _other_forms(self, question: str) -> list[tuple[str, str]]:
        """Long forms of its acronyms and acronyms of its long forms that a question lacks, as `_compounds`."""
        held = _phrases(question)
        shorts = [(long, short) for long in sorted(held) for short in self._defined("long", "short", long, question)]
        return [*self._long_forms(question), *((long, short) for long, short in shorts if short not in held)]

    def _long_forms(self, question: str) -> list[tuple[str, str]]:
        held = _phrases(question)
        found: dict[str, str] = {}
        for name in sorted(held):
            # "llms" in small letters is no plural by its look.
            for short in (name, name[:-1]) if len(name) > 2 and name.endswith("s") else (name,):
                longs = self._defined("short", "long", short, question)
                found.update({long: short for long in longs if long not in found})
        return [(short, long) for long, short in found.items() if long not in held]

    def _defined(self, own: str, other: str, name: str, question: str) -> list[str]:
        """What stands in the column `other` where `own` is `name`, the most frequent first."""
        rows = self._db.execute(
            f"SELECT {other}, min(short_written) FROM acronyms WHERE {own} = ? "
            f"GROUP BY {other} ORDER BY count(*) DESC, {other} LIMIT ?",
            (name, _MOST_FORMS),
        ).fetchall()
        # "IT" may be defined; "it" is not meant by that.
        return [
            form
            for form, written in rows
            if own == "long"
            or normalise(written) not in STOP_WORDS
            or re.search(rf"\b{re.escape(written)}\b", question)
        ]

    def _as_written(self, long: str) -> str:
        """A long form as most of the passages that define it write it."""
        rows = self._db.execute("SELECT long_written FROM acronyms WHERE long = ?", (long,)).fetchall()
        written = Counter(str(row[0]) for row in rows)
        return min(written, key=lambda text: (-written[text], text))

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


def _phrases(question: str) -> set[str]:
    words = [_encode([term]) for term in terms(question)]
    return {" ".join(words[i : i + n]) for n in range(1, _LONGEST_FORM + 1) for i in range(len(words) - n + 1)}


def _any_of(phrases: Iterable[str]) -> str:
    return " OR ".join(f'"{phrase}"' for phrase in dict.fromkeys(phrases) if phrase)


def _encode(words: Iterable[str]) -> str:
    """Words as FTS5's ascii tokenizer keeps them whole: letters and digits, all else in hexadecimal."""
    return " ".join(
        "".join(c if c.isascii() and c.isalnum() else f"x{ord(c):x}x" for c in word) for word in words if word
    )
