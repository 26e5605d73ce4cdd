"""Config -> ready objects: the only place where adapters and models are wired; models are loaded by
`loading.py`, and the files are `index_files.py`'s.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rag import shelf
from rag.answerability import load_weights
from rag.answering import Answerer
from rag.catalog import Catalog
from rag.config import AUTO, Config
from rag.errors import REINDEX, IndexMismatchError, UsageError
from rag.finding import Finder
from rag.index_files import (
    FORMAT,
    IndexFiles,
    locked,
    opens,
    remove_derived,
    require_index,
    require_papers,
)
from rag.ingest import Indexer, Progress, ReadReport, no_progress, read_files, read_records
from rag.loading import load_comprehender, load_cross_encoder, load_embedder, load_llm
from rag.readers import checked, find_files
from rag.reading import Reader
from rag.records import Counts, Embedder, Paper, Sampling, Skipped
from rag.refusal import Judge
from rag.rerank import LikelihoodReader, PaperReader, RelevanceReader, Reranker
from rag.retrieval import Retriever
from rag.writing.modes import describe_writing, make_writer

if TYPE_CHECKING:
    from rag.cross_encoder import RelevanceModel

# The slower embedding model of the shelf is taken by itself for new indexes of up to so many papers.
SLOW_MODEL_PAPERS = 1_000


def choose_embedding(config: Config, built: str | None, papers: int) -> Config:
    """The configuration with a definite embedding model.

    `auto` is the model that the index was `built` with. For a new one it is the best that is here, or where there are
    many `papers` the faster bundled one.
    """
    if config.embedding_model != AUTO:
        return config
    better = papers <= SLOW_MODEL_PAPERS and shelf.fetched(shelf.MPNET.name)
    return replace(config, embedding_model=built or (shelf.MPNET.name if better else "bundled"))


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What an indexing run did."""

    read: ReadReport
    embedded: int
    counts: Counts
    embedding_model: str


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
    with locked(config.index_dir, write=True):
        parts = IndexFiles(config.index_dir)
        try:
            if config.embedding_model != AUTO:
                _check_model_name(config, parts.catalog)
            read = read_into(parts.catalog)
            built = parts.catalog.setting("embedding_model")
            config = choose_embedding(config, built, len(parts.catalog.pending()))
            if parts.catalog.pending():
                embedder = load_embedder(config)
                _claim_model(config, parts.catalog, embedder)
                embedded = _indexer(config, parts, embedder).run(progress)
            else:
                embedded = 0
            parts.catalog.set_setting("rebuilding", "")
            return IndexReport(read, embedded, parts.catalog.counts(), config.embedding_model)
        finally:
            parts.close()


def _indexer(config: Config, parts: IndexFiles, embedder: Embedder) -> Indexer:
    return Indexer(parts, embedder, keep_tokens=keeps_tokens(config))


def keeps_tokens(config: Config) -> bool:
    """Whether an index that `config` asks for holds token vectors."""
    return "tokens" in config.rankings.split(",")


def rebuild_index(config: Config, progress: Progress = no_progress) -> tuple[int, str]:
    """Make vectors and lexical index anew from the catalog, with the configured embedding model.

    `auto` keeps the model that the index was built with. An interrupted run goes on where it stopped. Returns how many
    papers were indexed and the name of the model. Raises NoIndexError without a catalog.
    """
    require_index(config)
    folder = config.index_dir
    with locked(folder, write=True):
        catalog = Catalog(folder / "catalog.db")
        try:
            config = choose_embedding(config, catalog.setting("embedding_model"), catalog.counts().papers)
            embedder = load_embedder(config)
            # A run that was interrupted goes on; anything else starts from nothing.
            making = embedder.digest + ("+tokens" if keeps_tokens(config) else "")
            if catalog.setting("rebuilding") != making or not catalog.pending() or not opens(folder):
                catalog.forget_indexing()
                catalog.set_setting("embedding_model", "")
                remove_derived(folder)
                catalog.set_setting("rebuilding", making)
        finally:
            catalog.close()
        parts = IndexFiles(folder)
        try:
            _claim_model(config, parts.catalog, embedder)
            count = _indexer(config, parts, embedder).run(progress)
            parts.catalog.set_setting("rebuilding", "")
            return count, config.embedding_model
        finally:
            parts.close()


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
        catalog.set_setting("format", FORMAT)
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
            stack.enter_context(locked(config.index_dir, write=False))
            self.files = IndexFiles(config.index_dir)
            stack.callback(self.files.close)
            self.catalog = self.files.catalog
            built = self.catalog.setting("embedding_model")
            self.config = choose_embedding(config, built, self.catalog.counts().papers)
            self._check()
            self.embedder = load_embedder(self.config)
            _claim_model(self.config, self.catalog, self.embedder)
            self.retriever = Retriever(
                self.files,
                self.embedder,
                rankings=config.rankings.split(","),
                candidates=config.candidates,
                papers=config.papers,
            )
            weights, self.calibrated = load_weights(self.embedder.digest)
            reader = Reader(load_comprehender(self.config, self.embedder))
            self.judge = Judge(self.files.lexical.idf, weights, config.answer_threshold, reader)
            self._opened = stack.pop_all()

    def _check(self) -> None:
        counts = self.catalog.counts()
        _check_model_name(self.config, self.catalog)
        if counts.indexed == counts.papers and (wrong := self.files.disagreements()):
            raise IndexMismatchError(f"the parts of the index do not agree ({'; '.join(wrong)}). {REINDEX}")
        # While papers are pending, one index may be ahead of the other by what is theirs.
        with_tokens, passages = self.files.tokens.count(), self.files.lexical.count()
        moving = sum(count for count, _ in self.catalog.indexed_spans(self.catalog.pending()).values())
        if keeps_tokens(self.config) and abs(with_tokens - passages) > moving:
            raise IndexMismatchError(
                f"the index holds token vectors of {with_tokens} of {passages} passages: it was made without them, or "
                f"by an earlier version. {REINDEX}, or do without: --set rankings=passage,sentence,bm25"
            )

    def close(self) -> None:
        """Free the models and let go of the index."""
        self._opened.close()

    @cached_property
    def finder(self) -> Finder:
        """What finds papers and judges whether they answer. Raises what `reranker` raises."""
        broad = self.config.broad_papers
        return Finder(self.retriever, self.catalog, self.judge, broad_papers=broad, reranker=self.reranker)

    @cached_property
    def cross_encoder(self) -> "RelevanceModel | None":
        """The cross-encoder that puts papers in order, if there is one; loaded when first asked for, or ModelError."""
        return load_cross_encoder(self.config) if self.config.reranker else None

    @cached_property
    def reranker(self) -> Reranker | None:
        """What puts the best papers in a better order, None unless `rerank_papers` says how many.

        Raises ModelError, and UsageError where there is no model that could.
        """
        if not self.config.rerank_papers:
            return None
        return Reranker(self._reader(), self.catalog.papers, self.config.rerank_papers)

    def _reader(self) -> PaperReader:
        if self.cross_encoder is None:
            raise UsageError(
                "rerank_papers needs a language model in this process (a server tells no likelihoods), or a "
                "cross-encoder: set reranker to one, or rerank_papers to 0."
            )
        return RelevanceReader(self.cross_encoder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Engine(SearchEngine):
    """A ready index with all its models: search and answer."""

    def __init__(self, config: Config) -> None:
        """Open the index and load the models. Raises what `SearchEngine` raises, and its `reranker`."""
        super().__init__(config)
        with ExitStack() as stack:
            stack.callback(super().close)
            self.llm = load_llm(config)
            self._opened.callback(self.llm.close)
            self.answerer = Answerer(
                self.finder,
                self.llm,
                self.files.lexical.idf,
                self.catalog,
                make_writer(config.writing, self.llm, self.llm.parameters, config.best_of, config.answer_threshold),
                sampling=Sampling(config.temperature, config.seed),
                evidence_sentences=config.evidence_sentences,
                evidence_tokens=config.evidence_tokens,
                answer_tokens=config.answer_tokens,
            )
            self.writing = describe_writing(config.writing, self.llm.parameters)
            stack.pop_all()

    def _reader(self) -> PaperReader:
        if self.cross_encoder is None and hasattr(self.llm, "likelihoods"):
            return LikelihoodReader(self.llm)
        return super()._reader()

    def findings(self) -> Mapping[str, str]:
        """What was found out about the server of the language model, by name; empty for a model in this process."""
        return getattr(self.llm, "findings", dict)()
