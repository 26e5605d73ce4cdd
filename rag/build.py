"""Config -> ready objects: the only place where adapters are made and wired.

One index is one folder: `catalog.db` (the truth), `chroma/`, `lexical.db` and `tokens.db` (derived), `lock.db`.
Writers take the lock alone, readers share it: a second process that writes to Chroma's folder would lose vectors.
"""

import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from filelock import ReadWriteLock, Timeout

from rag import models
from rag.answering import Answerer
from rag.catalog import Catalog
from rag.config import Config
from rag.errors import REINDEX, IndexBusyError, IndexMismatchError, NoIndexError
from rag.ingest import Indexer, Progress, ReadReport, no_progress, read_files, read_records
from rag.lexical import LexicalIndex
from rag.readers import checked, find_files
from rag.records import Counts, Embedder, Paper, Skipped
from rag.retrieval import Retriever
from rag.store import Kind, VectorStore
from rag.tokens import TokenStore

if TYPE_CHECKING:
    from rag.embedding import SentenceEmbedder
    from rag.llm import LlamaModel

SAMPLE_INDEX = "sample"


def sample_path() -> Path:
    """The papers that come with Citable."""
    return Path(str(files("rag") / "sample" / "papers.jsonl"))


def index_exists(config: Config) -> bool:
    """Whether there is a catalog at the place that `config` names."""
    return (config.index_dir / "catalog.db").is_file()


@contextmanager
def _locked(folder: Path, *, write: bool) -> Iterator[None]:
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
    _require_index(config)
    with _locked(config.index_dir, write=False):
        parts = IndexFiles(config.index_dir)
        try:
            yield parts
        finally:
            parts.close()


def load_embedder(config: Config) -> "SentenceEmbedder":
    """The configured embedding model."""
    # torch takes seconds to import; a run that embeds nothing does without it.
    from rag.embedding import SentenceEmbedder

    return SentenceEmbedder(config.embedding_model, models.embedding_path(config.embedding_model))


def load_llm(config: Config) -> "LlamaModel":
    """The configured language model."""
    from rag.llm import LlamaModel

    return LlamaModel(
        models.llm_path(config.llm),
        context_tokens=config.context_tokens,
        threads=config.threads,
        gpu_layers=config.gpu_layers,
        temperature=config.temperature,
        seed=config.seed,
    )


class IndexFiles:
    """The opened parts of one index."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with ExitStack() as stack:
            self.catalog = Catalog(folder / "catalog.db")
            stack.callback(self.catalog.close)
            self.store = VectorStore(folder / "chroma")
            stack.callback(self.store.close)
            self.lexical = LexicalIndex(folder / "lexical.db")
            stack.callback(self.lexical.close)
            self.tokens = TokenStore(folder / "tokens.db")
            stack.callback(self.tokens.close)
            self._close = stack.pop_all()

    def disagreements(self, rankings: Collection[str] = ()) -> list[str]:
        """In what the derived indexes differ from the catalog; empty when all that `rankings` need agree."""
        counts = self.catalog.counts()
        parts = [
            ("passage vectors", self.store.count(Kind.PASSAGE), counts.passages),
            ("sentence vectors", self.store.count(Kind.SENTENCE), counts.sentences),
            ("BM25 passages", self.lexical.count(), counts.passages),
        ]
        if "tokens" in rankings:
            parts.append(("passages with token vectors", self.tokens.count(), counts.passages))
        return [f"{there} {name}, catalog says {due}" for name, there, due in parts if there != due]

    def close(self) -> None:
        """Close all files."""
        self._close.close()


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What an indexing run did."""

    read: ReadReport
    embedded: int
    counts: Counts


def index_papers(config: Config, paths: Sequence[str | Path], progress: Progress = no_progress) -> IndexReport:
    """Read papers and bring the index in line; what is there already is not embedded again.

    Raises InputError, IndexBusyError, IndexMismatchError, ModelError. An interrupted run is finished by the next.
    """
    found = find_files(paths)
    return _index(config, lambda catalog: read_files(catalog, found), progress)


def index_records(config: Config, records: Iterable[Paper | Skipped], progress: Progress = no_progress) -> IndexReport:
    """`index_papers` for papers that are no files of their own, such as those of a test collection."""
    return _index(config, lambda catalog: read_records(catalog, (checked(record) for record in records)), progress)


def _index(config: Config, read_into: Callable[[Catalog], ReadReport], progress: Progress) -> IndexReport:
    with _locked(config.index_dir, write=True):
        parts = IndexFiles(config.index_dir)
        try:
            _check_model_name(config, parts.catalog)
            read = read_into(parts.catalog)
            if parts.catalog.pending():
                embedder = load_embedder(config)
                _claim_model(config, parts.catalog, embedder)
                embedded = _indexer(config, parts, embedder).run(progress)
            else:
                embedded = 0
            parts.catalog.set_setting("rebuilding", "")
            return IndexReport(read, embedded, parts.catalog.counts())
        finally:
            parts.close()


def _indexer(config: Config, parts: IndexFiles, embedder: Embedder) -> Indexer:
    keep = _keeps_tokens(config)
    return Indexer(parts.catalog, embedder, parts.store, parts.lexical, parts.tokens, keep_tokens=keep)


def _keeps_tokens(config: Config) -> bool:
    return "tokens" in config.rankings.split(",")


def ensure_sample(config: Config, progress: Progress = no_progress) -> None:
    """Index the bundled sample into the index that `config` names, unless it is there as it is shipped.

    Raises what `index_papers` raises. Where nothing is to be done, an index that is in use elsewhere does not matter.
    """
    shipped = models.sha256_of(sample_path())
    if index_exists(config):
        catalog = Catalog(config.index_dir / "catalog.db")
        tokens = TokenStore(config.index_dir / "tokens.db")
        try:
            whole = not _keeps_tokens(config) or tokens.count() == catalog.counts().passages
            whole = whole and _is_readable(config.index_dir / "lexical.db")
            if whole and catalog.setting("sample") == shipped and not catalog.pending():
                return
        finally:
            tokens.close()
            catalog.close()
        if not whole:
            # Made without late interaction, or by an earlier version.
            rebuild_index(config, progress)
    index_papers(config, [sample_path()], progress)
    catalog = Catalog(config.index_dir / "catalog.db")
    catalog.set_setting("sample", shipped)
    catalog.close()


def rebuild_index(config: Config, progress: Progress = no_progress) -> int:
    """Make vectors and lexical index anew from the catalog, with the configured embedding model.

    An interrupted run goes on where it stopped. Returns the number of papers that were indexed. Raises NoIndexError
    without a catalog.
    """
    _require_index(config)
    folder = config.index_dir
    with _locked(folder, write=True):
        embedder = load_embedder(config)
        catalog = Catalog(folder / "catalog.db")
        try:
            # A run that was interrupted goes on; anything else starts from nothing.
            making = embedder.digest + ("+tokens" if _keeps_tokens(config) else "")
            if catalog.setting("rebuilding") != making or not catalog.pending() or not _opens(folder):
                catalog.forget_indexing()
                catalog.set_setting("embedding_model", "")
                _remove_derived(folder)
                catalog.set_setting("rebuilding", making)
        finally:
            catalog.close()
        parts = IndexFiles(folder)
        try:
            _claim_model(config, parts.catalog, embedder)
            count = _indexer(config, parts, embedder).run(progress)
            parts.catalog.set_setting("rebuilding", "")
            return count
        finally:
            parts.close()


def _opens(folder: Path) -> bool:
    try:
        IndexFiles(folder).close()
    except IndexMismatchError:
        return False
    return True


def _is_readable(lexical: Path) -> bool:
    try:
        LexicalIndex(lexical).close()
    except IndexMismatchError:
        return False
    return True


def _remove_derived(folder: Path) -> None:
    if (folder / "chroma").exists():
        shutil.rmtree(folder / "chroma")
    for name in ("lexical.db", "tokens.db"):
        for suffix in ("", "-wal", "-shm"):
            (folder / f"{name}{suffix}").unlink(missing_ok=True)


def _require_index(config: Config) -> None:
    if not index_exists(config):
        raise NoIndexError(
            f"no index yet at {config.index_dir}. Make one: citable index PATH, or try the sample: "
            "citable chat --sample"
        )


def require_papers(config: Config) -> Catalog:
    """The opened catalog of the index. Raises NoIndexError if there is none or nothing in it can be found."""
    _require_index(config)
    catalog = Catalog(config.index_dir / "catalog.db")
    if catalog.counts().indexed == 0:
        catalog.close()
        raise NoIndexError(f"the index at {config.index_dir} holds no papers yet. Add some: citable index PATH")
    return catalog


def _check_model_name(config: Config, catalog: Catalog) -> None:
    built = catalog.setting("embedding_model")
    if built and built != config.embedding_model:
        raise IndexMismatchError(
            f"the index was built with embedding model {built!r}, not {config.embedding_model!r}. Set "
            f"embedding_model to {built!r}, or build it anew with the other one. {REINDEX}"
        )


def _claim_model(config: Config, catalog: Catalog, embedder: Embedder) -> None:
    """Store which model the index is built with, or refuse another one."""
    _check_model_name(config, catalog)
    if not catalog.setting("embedding_model"):
        catalog.set_setting("embedding_model", config.embedding_model)
        catalog.set_setting("embedding_digest", embedder.digest)
        catalog.set_setting("embedding_dimensions", str(embedder.dimensions))
        catalog.set_setting("embedding_max_tokens", str(embedder.max_tokens))
    elif catalog.setting("embedding_digest") != embedder.digest:
        raise IndexMismatchError(
            f"embedding model {config.embedding_model!r} is not the same as when the index was built: its files have "
            f"changed. {REINDEX}"
        )


class SearchEngine:
    """A ready index with its embedding model. A context manager that holds the index for reading."""

    def __init__(self, config: Config) -> None:
        """Open the index and load the embedding model.

        Raises NoIndexError, IndexBusyError, IndexMismatchError, ModelError.
        """
        require_papers(config).close()
        self.config = config
        with ExitStack() as stack:
            stack.enter_context(_locked(config.index_dir, write=False))
            self.files = IndexFiles(config.index_dir)
            stack.callback(self.files.close)
            self.catalog = self.files.catalog
            self._check()
            self.embedder = load_embedder(config)
            _claim_model(config, self.catalog, self.embedder)
            self.retriever = Retriever(
                self.catalog,
                self.embedder,
                self.files.store,
                self.files.lexical,
                self.files.tokens,
                rankings=config.rankings.split(","),
                candidates=config.candidates,
                papers=config.papers,
            )
            self._opened = stack.pop_all()

    def _check(self) -> None:
        counts = self.catalog.counts()
        _check_model_name(self.config, self.catalog)
        if counts.indexed == counts.papers and (wrong := self.files.disagreements()):
            raise IndexMismatchError(f"the parts of the index do not agree ({'; '.join(wrong)}). {REINDEX}")
        # While papers are pending, one index may be ahead of the other by what is theirs.
        with_tokens, passages = self.files.tokens.count(), self.files.lexical.count()
        moving = sum(count for count, _ in self.catalog.indexed_spans(self.catalog.pending()).values())
        if _keeps_tokens(self.config) and abs(with_tokens - passages) > moving:
            raise IndexMismatchError(
                f"the index holds token vectors of {with_tokens} of {passages} passages: it was made without them, or "
                f"by an earlier version. {REINDEX}, or do without: --set rankings=passage,sentence,bm25"
            )

    def close(self) -> None:
        """Free the models and let go of the index."""
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Engine(SearchEngine):
    """A ready index with all its models: search and answer."""

    def __init__(self, config: Config) -> None:
        """Open the index and load the models. Raises what `SearchEngine` raises."""
        super().__init__(config)
        with ExitStack() as stack:
            stack.callback(super().close)
            self.llm = load_llm(config)
            self._opened.callback(self.llm.close)
            self.answerer = Answerer(
                self.retriever,
                self.llm,
                self.files.lexical.idf,
                self.catalog.search_titles,
                evidence_sentences=config.evidence_sentences,
                evidence_tokens=config.evidence_tokens,
                answer_tokens=config.answer_tokens,
                answer_threshold=config.answer_threshold,
            )
            stack.pop_all()
