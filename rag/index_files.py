"""The files of one index: opening, locking, throwing away what is derived.

One index is one folder: `catalog.db` (the truth), what is derived from it (`chroma/`, `lexical/`, `acronyms.db`,
`sentences.db`, `tokens.db`), and `lock.db`. Writers take the lock alone, readers share it: a second process that writes
to Chroma's folder would lose vectors. Knows no models.
"""

import shutil
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from filelock import ReadWriteLock, Timeout

from rag.acronym_store import AcronymStore
from rag.catalog import Catalog
from rag.config import Config
from rag.errors import REINDEX, IndexBusyError, IndexMismatchError, NoIndexError
from rag.lexical import LexicalIndex
from rag.sentence_vectors import SentenceStore
from rag.store import VectorStore
from rag.tokens import TokenStore

# Raised when what is derived changes: its layout, or the terms that words become.
FORMAT = "5"
_DERIVED = ("chroma", "lexical", "acronyms.db", "sentences.db", "tokens.db")


def index_exists(config: Config) -> bool:
    """Whether there is a catalog at the place that `config` names."""
    return (config.index_dir / "catalog.db").is_file()


@contextmanager
def locked(folder: Path, *, write: bool) -> Iterator[None]:
    """Hold the index for writing, alone, or for reading. Raises IndexBusyError if another process has it otherwise."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = ReadWriteLock(folder / "lock.db", timeout=0, is_singleton=False)
    try:
        if write:
            lock.acquire_write()
        else:
            lock.acquire_read()
    except Timeout:
        lock.close()
        doing = "has this index open" if write else "is writing to this index"
        raise IndexBusyError(
            f"another Citable process {doing} ({folder}). Wait until it is done or stop it, then try again."
        ) from None
    try:
        yield
    finally:
        lock.close()


@contextmanager
def open_for_reading(config: Config) -> "Iterator[IndexFiles]":
    """The parts of the index, shared with other readers, without any model."""
    require_index(config)
    with locked(config.index_dir, write=False):
        parts = IndexFiles(config.index_dir)
        try:
            yield parts
        finally:
            parts.close()


class IndexFiles:
    """The opened parts of one index."""

    def __init__(self, folder: Path) -> None:
        """Open all files. Raises IndexMismatchError if one cannot be read or is of another version of Citable."""
        self.folder = folder
        with ExitStack() as stack:
            self.catalog = Catalog(folder / "catalog.db")
            stack.callback(self.catalog.close)
            _check_derived(folder, self.catalog)
            self.store = VectorStore(folder / "chroma")
            stack.callback(self.store.close)
            self.lexical = LexicalIndex(folder / "lexical")
            stack.callback(self.lexical.close)
            self.acronyms = AcronymStore(folder / "acronyms.db")
            stack.callback(self.acronyms.close)
            self.sentences = SentenceStore(folder / "sentences.db")
            stack.callback(self.sentences.close)
            self.tokens = TokenStore(folder / "tokens.db")
            stack.callback(self.tokens.close)
            self._close = stack.pop_all()

    def disagreements(self, rankings: Collection[str] = ()) -> list[str]:
        """In what the derived indexes differ from the catalog; empty when all that `rankings` need agree."""
        counts = self.catalog.counts()
        parts = [
            ("passage vectors", self.store.count(), counts.passages),
            ("sentence vectors", self.sentences.count(), counts.sentences),
            ("BM25 passages", self.lexical.count(), counts.passages),
        ]
        if "tokens" in rankings:
            parts.append(("passages with token vectors", self.tokens.count(), counts.passages))
        return [f"{there} {name}, catalog says {due}" for name, there, due in parts if there != due]

    def close(self) -> None:
        """Close all files."""
        self._close.close()


def _check_derived(folder: Path, catalog: Catalog) -> None:
    if not catalog.setting("embedding_model"):
        return
    if catalog.setting("format") != FORMAT:
        raise IndexMismatchError(f"the index was made by another version of Citable; no paper is lost. {REINDEX}")
    # Opening would make an empty one.
    if missing := [name for name in _DERIVED if not (folder / name).exists()]:
        raise IndexMismatchError(f"the index lacks {', '.join(missing)}; no paper is lost. {REINDEX}")


def opens(folder: Path) -> bool:
    """Whether the derived files can be read."""
    try:
        IndexFiles(folder).close()
    except IndexMismatchError:
        return False
    return True


def remove_derived(folder: Path) -> None:
    """Throw away everything but the catalog."""
    for name in (*_DERIVED, "lexical.db"):  # the last is of earlier versions
        if (folder / name).is_dir():
            shutil.rmtree(folder / name)
        for suffix in ("", "-wal", "-shm"):
            (folder / f"{name}{suffix}").unlink(missing_ok=True)


def require_index(config: Config) -> None:
    """Raises NoIndexError if there is none."""
    if not index_exists(config):
        raise NoIndexError(
            f"no index yet at {config.index_dir}. Make one: citable index PATH, or try the sample: "
            "citable chat --sample"
        )


def require_papers(config: Config) -> Catalog:
    """The opened catalog of the index. Raises NoIndexError if there is none or nothing in it can be found."""
    require_index(config)
    catalog = Catalog(config.index_dir / "catalog.db")
    if catalog.counts().indexed == 0:
        catalog.close()
        raise NoIndexError(f"the index at {config.index_dir} holds no papers yet. Add some: citable index PATH")
    return catalog
