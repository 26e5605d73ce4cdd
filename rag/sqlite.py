"""Opening the SQLite files of the derived indexes. Knows nothing of what is in them."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from rag.errors import REINDEX, IndexMismatchError


def open_derived(path: Path, tables: Sequence[str], look: str, what: str) -> sqlite3.Connection:
    """Open the file at `path`, or make it with the statements of `tables`; usable from several threads, under a lock.

    `look` is a query that works on a sound file. Raises IndexMismatchError, which names `what`, if it does not.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        database = sqlite3.connect(path, check_same_thread=False, timeout=30)
        with database:
            if not database.execute("SELECT 1 FROM sqlite_master").fetchone():
                database.execute("PRAGMA journal_mode=WAL")
            for statement in tables:  # each IF NOT EXISTS: an interruption may have left the first alone
                database.execute(statement)
            database.execute(look).fetchone()
    except sqlite3.DatabaseError as error:
        raise IndexMismatchError(f"the {what} {path} cannot be opened ({error}). {REINDEX}") from None
    return database
