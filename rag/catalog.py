"""The SQLite catalog: papers, their sentences, the ledger of what was read and what is indexed. The source of truth.

Vectors and the lexical index are derived from it. `indexed_hash` of a paper equals its `content_hash` when both
indexes hold it; everything else is pending, whatever interrupted the work.
"""

import hashlib
import json
import sqlite3
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from rag import identity
from rag.errors import IndexBusyError, IndexMismatchError
from rag.filters import used_fields
from rag.matching import column_tests, id_keys, is_source
from rag.records import Added, CatalogPaper, Counts, Filter, Paper, Scope, Sentence
from rag.sentences import split_sentences

_FIRST_SCHEMA = """
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS papers (
    id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, title TEXT NOT NULL, title_norm TEXT NOT NULL,
    abstract TEXT NOT NULL, authors TEXT NOT NULL, year INTEGER, venue TEXT NOT NULL, doi TEXT NOT NULL,
    arxiv_id TEXT NOT NULL, pmid TEXT NOT NULL, url TEXT NOT NULL, source TEXT NOT NULL,
    content_hash TEXT NOT NULL, indexed_hash TEXT NOT NULL DEFAULT '',
    passages INTEGER NOT NULL DEFAULT 0, indexed_sentences INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS papers_pending ON papers(id) WHERE indexed_hash <> content_hash;
CREATE TABLE IF NOT EXISTS aliases (alias TEXT PRIMARY KEY, paper_id INTEGER NOT NULL REFERENCES papers(id));
CREATE TABLE IF NOT EXISTS sentences (
    paper_id INTEGER NOT NULL REFERENCES papers(id), number INTEGER NOT NULL, start INTEGER NOT NULL,
    stop INTEGER NOT NULL, PRIMARY KEY (paper_id, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sightings (
    source TEXT NOT NULL, paper_id INTEGER NOT NULL REFERENCES papers(id), content_hash TEXT NOT NULL,
    PRIMARY KEY (source, paper_id)) WITHOUT ROWID;
"""
# The index holds all that filters look at: they need not walk through the abstracts.
_CATEGORIES = """
ALTER TABLE papers ADD COLUMN categories TEXT NOT NULL DEFAULT '[]';
CREATE INDEX papers_details ON papers(year, authors, venue, categories);
"""
# Each makes a file of the schema before it into one of the next; a new file goes through all of them.
_STEPS = (_FIRST_SCHEMA, _CATEGORIES)
SCHEMA_VERSION = len(_STEPS)
_PAPER_COLUMNS = "id, key, title, abstract, authors, year, venue, doi, arxiv_id, pmid, url, source, categories"
# Where the fields of a filter are kept, and how a paper looks that has nothing there.
_EMPTY = {
    "years": "year IS NULL",
    "authors": "authors = '[]'",
    "venues": "venue = ''",
    "categories": "categories = '[]'",
}
_NO_YEAR = 1 << 31  # after all years


class Catalog:
    """A SQLite file in WAL mode. Usable from several threads, one at a time."""

    def __init__(self, path: Path) -> None:
        """Open or create the catalog; one of an earlier schema is brought up to date.

        Raises IndexMismatchError for a file of a later schema or no SQLite file.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        try:
            self._db = sqlite3.connect(path, check_same_thread=False, timeout=30)
            with self._lock, self._db:
                self._db.execute("PRAGMA foreign_keys=ON")
                version = self._db.execute("PRAGMA user_version").fetchone()[0]
                if version > SCHEMA_VERSION:
                    raise IndexMismatchError(
                        f"{path} was made by another version of Citable (schema {version}, this one reads "
                        f"{SCHEMA_VERSION}). Index the papers again into a new index: citable index --index NAME PATH"
                    )
                if version < SCHEMA_VERSION:
                    self._db.execute("PRAGMA journal_mode=WAL")
                    self._upgrade()
        except sqlite3.OperationalError as error:
            raise IndexBusyError(
                f"{path} cannot be used now ({error}). Check that no other program holds it, that it may be written, "
                "and that the disk is not full; then try again."
            ) from None
        except sqlite3.DatabaseError as error:
            raise IndexMismatchError(
                f"{path} is not a readable catalog ({error}). Move it away and index again."
            ) from None

    def _upgrade(self) -> None:
        # In one transaction, and looked at again inside it: another process may have done it meanwhile.
        self._db.execute("BEGIN IMMEDIATE")
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        for step in _STEPS[version:]:
            for statement in step.split(";"):
                self._db.execute(statement)
        self._db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")

    # -- what was read -------------------------------------------------------------------------------------------

    def add(self, papers: Iterable[Paper], seen: set[int] | None = None) -> Added:
        """Add or update papers in one transaction; the same paper seen again is not added twice.

        `seen` collects the ids of the papers of one file over several calls: a file's first record of a paper counts.
        """
        added = Added()
        seen = set() if seen is None else seen
        with self._lock, self._db:
            for paper in papers:
                added += self._add_one(paper, seen)
        return added

    def _add_one(self, paper: Paper, seen: set[int]) -> Added:
        digest = identity.content_hash(paper)
        paper_id = self._find(paper)
        if paper_id in seen:
            self._fill_gaps(paper_id, paper)
            self._add_aliases(paper_id, paper)
            return Added(duplicates=1)
        if paper_id is None:
            keys = [*identity.strong_keys(paper), identity.title_key(paper)]
            key = next(key for key in keys if not self._taken(key))
            cursor = self._db.execute(
                "INSERT INTO papers (key, title, title_norm, abstract, authors, year, venue, doi, arxiv_id, pmid, url,"
                " source, categories, content_hash) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                (key, paper.title, identity.normalise_title(paper.title), paper.abstract, json.dumps(paper.authors),
                 paper.year, paper.venue, paper.doi, paper.arxiv_id, paper.pmid, paper.url, paper.source,
                 json.dumps(paper.categories), digest),
            )  # fmt: skip
            paper_id = int(cursor.lastrowid or 0)
            self._write_sentences(paper_id, paper.abstract)
            result = Added(new=1)
        else:
            result = self._update(paper_id, paper, digest)
        seen.add(paper_id)
        self._add_aliases(paper_id, paper)
        self._db.execute("INSERT OR REPLACE INTO sightings VALUES (?, ?, ?)", (paper.source, paper_id, digest))
        return result

    def _add_aliases(self, paper_id: int, paper: Paper) -> None:
        for key in (*identity.strong_keys(paper), identity.title_key(paper)):
            self._db.execute("INSERT OR IGNORE INTO aliases VALUES (?, ?)", (key, paper_id))

    def _taken(self, key: str) -> bool:
        return self._db.execute("SELECT 1 FROM aliases WHERE alias = ?", (key,)).fetchone() is not None

    def _find(self, paper: Paper) -> int | None:
        """The paper of the catalog that this is, by any id that names it, else by its title if no id contradicts."""
        strong = identity.strong_keys(paper)
        for key in strong:
            row = self._db.execute("SELECT paper_id FROM aliases WHERE alias = ?", (key,)).fetchone()
            if row:
                return int(row[0])
        row = self._db.execute("SELECT paper_id FROM aliases WHERE alias = ?", (identity.title_key(paper),)).fetchone()
        if row is None:
            return None
        kinds = {key.partition(":")[0] for key in strong}
        others = self._db.execute(
            "SELECT alias FROM aliases WHERE paper_id = ? AND alias NOT LIKE 'title:%'", (row[0],)
        ).fetchall()
        contradicted = any(alias.partition(":")[0] in kinds for (alias,) in others)
        return None if contradicted else int(row[0])

    def _update(self, paper_id: int, paper: Paper, digest: str) -> Added:
        """A file that shows other text than it did before changes the paper; another file's text is a duplicate."""
        seen = self._db.execute(
            "SELECT content_hash FROM sightings WHERE source = ? AND paper_id = ?", (paper.source, paper_id)
        ).fetchone()
        if seen is None and not self._moved(paper_id):
            self._fill_gaps(paper_id, paper)
            return Added(duplicates=1)
        self._fill_gaps(paper_id, paper, overwrite=True)
        current = self._db.execute("SELECT content_hash FROM papers WHERE id = ?", (paper_id,)).fetchone()
        if digest in (current[0], seen[0] if seen else None):
            return Added(unchanged=1)
        self._db.execute(
            "UPDATE papers SET title=?, title_norm=?, abstract=?, content_hash=? WHERE id=?",
            (paper.title, identity.normalise_title(paper.title), paper.abstract, digest, paper_id),
        )
        self._write_sentences(paper_id, paper.abstract)
        return Added(changed=1)

    def _moved(self, paper_id: int) -> bool:
        """Whether none of the files that showed this paper is there any more: then the new one takes its place."""
        rows = self._db.execute("SELECT source FROM sightings WHERE paper_id = ?", (paper_id,)).fetchall()
        return not any(Path(source).exists() for (source,) in rows)

    def _fill_gaps(self, paper_id: int, paper: Paper, *, overwrite: bool = False) -> None:
        """Take over the details that this record has and the catalog lacks, or all that it has."""
        for column in ("venue", "doi", "arxiv_id", "pmid", "url"):
            value = getattr(paper, column)
            if value:
                self._db.execute(
                    f"UPDATE papers SET {column}=? WHERE id=? AND (? OR {column}='')", (value, paper_id, overwrite)
                )
        if paper.year is not None:
            self._db.execute(
                "UPDATE papers SET year=? WHERE id=? AND (? OR year IS NULL)", (paper.year, paper_id, overwrite)
            )
        for column in ("authors", "categories"):
            if values := getattr(paper, column):
                self._db.execute(
                    f"UPDATE papers SET {column}=? WHERE id=? AND (? OR {column}='[]')",
                    (json.dumps(values), paper_id, overwrite),
                )

    def _write_sentences(self, paper_id: int, abstract: str) -> None:
        self._db.execute("DELETE FROM sentences WHERE paper_id = ?", (paper_id,))
        self._db.executemany(
            "INSERT INTO sentences VALUES (?, ?, ?, ?)",
            ((paper_id, number, start, end) for number, (start, end) in enumerate(split_sentences(abstract))),
        )

    # -- what is indexed -----------------------------------------------------------------------------------------

    def pending(self) -> list[int]:
        """Ids of papers that the derived indexes do not hold as they are now."""
        with self._lock:
            rows = self._db.execute("SELECT id FROM papers WHERE indexed_hash <> content_hash ORDER BY id").fetchall()
        return [row[0] for row in rows]

    def indexed_spans(self, paper_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
        """Passages and sentences that the derived indexes may hold of each paper, finished or half done."""
        with self._lock:
            rows = [
                self._db.execute("SELECT id, passages, indexed_sentences FROM papers WHERE id=?", (i,)).fetchone()
                for i in paper_ids
            ]
        return {row[0]: (row[1], row[2]) for row in rows if row}

    def passages(self, paper_ids: Iterable[int]) -> dict[int, int]:
        """How many passages the derived indexes hold of each of these papers; of papers in work, none."""
        query = (
            "SELECT id, passages FROM papers WHERE id IN (SELECT value FROM json_each(?)) AND indexed_hash=content_hash"
        )
        with self._lock:
            return dict(self._db.execute(query, (json.dumps(list(paper_ids)),)).fetchall())

    def begin_indexing(self, spans: dict[int, tuple[int, int]]) -> None:
        """Note, before the indexes are touched, how much of each paper they may hold from now on."""
        with self._lock, self._db:
            self._db.executemany(
                "UPDATE papers SET indexed_hash='', passages=max(passages, ?), "
                "indexed_sentences=max(indexed_sentences, ?) WHERE id=?",
                ((passages, sentences, paper_id) for paper_id, (passages, sentences) in spans.items()),
            )

    def finish_indexing(self, spans: dict[int, tuple[int, int]]) -> None:
        """Note that both indexes hold these papers whole: `id -> (passages, sentences)`."""
        with self._lock, self._db:
            self._db.executemany(
                "UPDATE papers SET indexed_hash=content_hash, passages=?, indexed_sentences=? WHERE id=?",
                ((passages, sentences, paper_id) for paper_id, (passages, sentences) in spans.items()),
            )

    def forget_indexing(self) -> None:
        """Mark every paper as pending, for indexes that are built anew."""
        with self._lock, self._db:
            self._db.execute("UPDATE papers SET indexed_hash='', passages=0, indexed_sentences=0")

    # -- reading -------------------------------------------------------------------------------------------------

    def papers(self, paper_ids: Sequence[int]) -> list[CatalogPaper]:
        """The papers with these ids, in this order; unknown ids are left out."""
        with self._lock:
            rows = [
                self._db.execute(f"SELECT {_PAPER_COLUMNS} FROM papers WHERE id=?", (i,)).fetchone() for i in paper_ids
            ]
        return [_paper(row) for row in rows if row]

    def search_titles(
        self, text: str = "", limit: int | None = None, *, within: Collection[int] | None = None
    ) -> Iterator[CatalogPaper]:
        """Papers whose title holds `text`, without case, accents and punctuation, by title.

        With `within`, only papers with these ids.
        """
        wanted = identity.normalise_title(text)
        among = "" if within is None else "AND id IN (SELECT value FROM json_each(?))"
        ids = [] if within is None else [json.dumps(list(within))]
        with self._lock:
            rows = self._db.execute(
                f"SELECT {_PAPER_COLUMNS} FROM papers WHERE (instr(title_norm, ?) OR ? = '') {among} "
                "ORDER BY title_norm LIMIT ?",
                (wanted, wanted, *ids, -1 if limit is None else limit),
            ).fetchall()
        return (_paper(row) for row in rows)

    def years(self, without: Collection[int] = ()) -> dict[int | None, int]:
        """How many papers there are of each year, None for those that tell none; those `without` not counted."""
        query = "SELECT year, count(*) FROM papers WHERE id NOT IN (SELECT value FROM json_each(?)) GROUP BY year"
        with self._lock:
            return dict(self._db.execute(query, (json.dumps(list(without)),)).fetchall())

    def matching(self, chosen: Filter) -> set[int] | None:
        """Ids of the papers that `chosen` lets through; None, meaning all, for a filter that says nothing."""
        if not chosen:
            return None
        with self._lock:
            found = [self._by_alias(chosen), self._by_source(chosen), self._by_details(chosen)]
        found += [self.matching(other) for other in chosen.also]
        return set.intersection(*(part for part in found if part is not None))

    def _by_alias(self, chosen: Filter) -> set[int] | None:
        if not chosen.ids:
            return None
        keys = json.dumps([key for value in chosen.ids for key in id_keys(value)])
        return self._ids("SELECT paper_id FROM aliases WHERE alias IN (SELECT value FROM json_each(?))", keys)

    def _by_source(self, chosen: Filter) -> set[int] | None:
        if not chosen.sources:
            return None
        known = [row[0] for row in self._db.execute("SELECT DISTINCT source FROM sightings")]
        files = json.dumps([source for source in known if any(is_source(value, source) for value in chosen.sources)])
        return self._ids("SELECT paper_id FROM sightings WHERE source IN (SELECT value FROM json_each(?))", files)

    def _ids(self, query: str, *values: str) -> set[int]:
        return {row[0] for row in self._db.execute(query, values)}

    def _by_details(self, chosen: Filter) -> set[int] | None:
        tests = column_tests(chosen)
        if not (tests or chosen.years):
            return None
        years = " OR ".join(["year BETWEEN ? AND ?"] * len(chosen.years)) or "1"
        bounds = [bound for first, last in chosen.years for bound in _bounds(first, last)]
        rows = self._db.execute(f"SELECT {', '.join(['id', *tests])} FROM papers WHERE {years}", bounds)
        checks = list(tests.values())
        return {row[0] for row in rows if all(check(text) for check, text in zip(checks, row[1:], strict=True))}

    def scope(self, chosen: Filter) -> Scope | None:
        """The papers that `chosen` lets through, and how many cannot be told; None for a filter that says nothing."""
        ids = self.matching(chosen)
        if ids is None:
            return None
        silent = " OR ".join(_EMPTY[name] for name in used_fields(chosen) if name in _EMPTY) or "0"
        with self._lock:
            total = self._db.execute("SELECT count(*) FROM papers").fetchone()[0]
            lacking = self._db.execute(f"SELECT count(*) FROM papers WHERE {silent}").fetchone()[0]
        return Scope(chosen, frozenset(ids), total, lacking)

    def sentences(self, paper: CatalogPaper) -> list[Sentence]:
        """The sentences of a paper's abstract, in order."""
        with self._lock:
            rows = self._db.execute(
                "SELECT number, start, stop FROM sentences WHERE paper_id=? ORDER BY number", (paper.id,)
            ).fetchall()
        return [Sentence(paper.id, n, start, end, paper.paper.abstract[start:end]) for n, start, end in rows]

    def counts(self) -> Counts:
        """How much there is."""
        with self._lock:
            row = self._db.execute(
                "SELECT count(*), coalesce(sum(indexed_hash = content_hash), 0), coalesce(sum(passages), 0),"
                " coalesce(sum(indexed_sentences), 0) FROM papers"
            ).fetchone()
        return Counts(*row)

    def digest(self) -> str:
        """SHA-256 over the keys and texts of all indexed papers, in hexadecimal: equal for equal collections."""
        hasher = hashlib.sha256()
        with self._lock:
            for row in self._db.execute(
                "SELECT key, content_hash FROM papers WHERE indexed_hash = content_hash ORDER BY key"
            ):
                hasher.update("\0".join(row).encode() + b"\n")
        return hasher.hexdigest()

    def setting(self, name: str) -> str | None:
        """A stored fact about the index, such as the digest of its embedding model."""
        with self._lock:
            row = self._db.execute("SELECT value FROM settings WHERE name=?", (name,)).fetchone()
        return row[0] if row else None

    def set_setting(self, name: str, value: str) -> None:
        """Store a fact about the index."""
        with self._lock, self._db:
            self._db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()


def _bounds(first: int | None, last: int | None) -> tuple[int, int]:
    """The years as numbers, open ends too. The year 0 is a year, not an open end."""
    return 0 if first is None else first, _NO_YEAR if last is None else last


def _paper(row: Sequence[object]) -> CatalogPaper:
    paper_id, key, title, abstract, authors, year, venue, doi, arxiv_id, pmid, url, source, categories = row
    paper = Paper(
        str(title), str(abstract), tuple(json.loads(str(authors))), year, str(venue), str(doi),  # type: ignore[arg-type]
        str(arxiv_id), str(pmid), str(url), str(source), categories=tuple(json.loads(str(categories))),
    )  # fmt: skip
    return CatalogPaper(int(str(paper_id)), str(key), paper)
