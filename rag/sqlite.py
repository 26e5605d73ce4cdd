"""Opening the SQLite files of the derived indexes. Knows nothing of what is in them."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from rag.errors import REINDEX, IndexMismatchError


def open_derived(path: Path, tables: Sequence[str], look: str, what: str, version: int = 0) -> sqlite3.Connection:
    """Open the file at `path`, or make it with the statements of `tables`; usable from several threads, under a lock.

    `look` is a query that works on a sound file; `version` is of the format of what is in it. Raises
    IndexMismatchError, which names `what`, if the query fails or the file was made with another version.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        database = sqlite3.connect(path, check_same_thread=False, timeout=30)
        with database:
            if not database.execute("SELECT 1 FROM sqlite_master").fetchone():
                database.execute("PRAGMA journal_mode=WAL")
                # Before the tables, so that a file that has any has its version.
                database.execute(f"PRAGMA user_version={version}")
            made = database.execute("PRAGMA user_version").fetchone()[0]
            if made != version:
                raise IndexMismatchError(
                    f"the {what} {path} was made by another version of Citable (format {made}, this one reads "
                    f"{version}). {REINDEX}"
                )
            for statement in tables:  # each IF NOT EXISTS: an interruption may have left the first alone
                database.execute(statement)
            database.execute(look).fetchone()
    except sqlite3.DatabaseError as error:
        raise IndexMismatchError(f"the {what} {path} cannot be opened ({error}). {REINDEX}") from None
    return database
