"""Readers -> catalog -> the indexes, in batches that survive an interruption at any point.

An address inside an index is `paper_id * STRIDE + n` for the n-th passage of a paper, so that an index entry leads to
its paper without a look-up.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from rag.catalog import Catalog
from rag.chunking import sentence_texts, split_passages
from rag.errors import InputError
from rag.index_files import IndexFiles
from rag.readers import SourceFile, read_papers
from rag.records import Added, CatalogPaper, Embedder, Paper, Passage, Sentence, Skipped

STRIDE = 10_000
_PAPERS_A_BATCH = 16
_PAPERS_A_TRANSACTION = 500
Progress = Callable[[int, int], None]


def no_progress(_done: int, _total: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class ReadReport:
    """What reading files brought."""

    files: int
    added: Added
    skipped: tuple[Skipped, ...]


def address(paper_id: int, number: int) -> int:
    """The id of a paper's n-th passage in the indexes."""
    return paper_id * STRIDE + number


def read_files(catalog: Catalog, files: Sequence[SourceFile]) -> ReadReport:
    """Read all papers of `files` into the catalog.

    A file that is not readable as papers is skipped if it came from a folder or pattern, as long as others are.
    Raises InputError for one that the user named, or if there is no other.
    """
    added = Added()
    skipped: list[Skipped] = []
    failed = 0
    for file in files:
        try:
            for more, passed in _read(catalog, read_papers(file.path)):
                added += more
                skipped.extend(passed)
        except InputError as error:
            failed += 1
            if file.named or failed == len(files):
                raise
            skipped.append(Skipped(str(file.path), 0, str(error).removeprefix(f"{file.path}: ")))
    return ReadReport(len(files), added, tuple(skipped))


def read_records(catalog: Catalog, records: Iterable[Paper | Skipped]) -> ReadReport:
    """Read papers that come from no file of their own into the catalog."""
    added = Added()
    skipped: list[Skipped] = []
    for more, passed in _read(catalog, iter(records)):
        added += more
        skipped.extend(passed)
    return ReadReport(1, added, tuple(skipped))


def _read(catalog: Catalog, records: Iterator[Paper | Skipped]) -> Iterator[tuple[Added, list[Skipped]]]:
    """Add the papers of one source, a transaction at a time."""
    seen: set[int] = set()
    while batch := list(islice(records, _PAPERS_A_TRANSACTION)):
        added = catalog.add((record for record in batch if isinstance(record, Paper)), seen)
        yield added, [record for record in batch if isinstance(record, Skipped)]


class Indexer:
    """Brings the derived indexes in line with the catalog."""

    def __init__(self, files: IndexFiles, embedder: Embedder, *, keep_tokens: bool) -> None:
        self._embedder = embedder
        self._files = files
        self._keep_tokens = keep_tokens

    def run(self, progress: Progress = no_progress) -> int:
        """Index every pending paper; `progress(done, total)` is called after each batch. Returns their number."""
        pending = self._files.catalog.pending()
        progress(0, len(pending))
        for start in range(0, len(pending), _PAPERS_A_BATCH):
            self._index(self._files.catalog.papers(pending[start : start + _PAPERS_A_BATCH]))
            progress(min(start + _PAPERS_A_BATCH, len(pending)), len(pending))
        return len(pending)

    def _index(self, papers: Sequence[CatalogPaper]) -> None:
        sentences = {p.id: self._files.catalog.sentences(p) for p in papers}
        passages = {
            p.id: split_passages(
                p.id, p.paper.title, p.paper.abstract, sentences[p.id], self._embedder.count_tokens,
                self._embedder.max_tokens,
            )
            for p in papers
        }  # fmt: skip
        spans = {p.id: (len(passages[p.id]), len(sentences[p.id])) for p in papers}
        before = self._files.catalog.indexed_spans([p.id for p in papers])
        self._files.catalog.begin_indexing(spans)
        stale = [address(paper_id, number) for paper_id, span in before.items() for number in range(span[0])]
        self._files.store.delete(stale)
        self._write_passages([x for p in papers for x in passages[p.id]], stale)
        self._write_sentences(papers, sentences)
        self._files.catalog.finish_indexing(spans)

    def _write_passages(self, passages: Sequence[Passage], stale: Sequence[int]) -> None:
        ids = [address(passage.paper_id, passage.index) for passage in passages]
        texts = [passage.embed_text for passage in passages]
        if self._keep_tokens:
            vectors, tokens = self._embedder.encode_tokens(texts)
            self._files.tokens.replace(stale, zip(ids, tokens, strict=True))
        else:
            vectors = self._embedder.encode(texts)
            self._files.tokens.replace([*stale, *ids], [])  # Those of an older text must not stay.
        self._files.store.upsert(ids, vectors)
        self._files.lexical.replace(stale, zip(ids, texts, strict=True))
        self._files.acronyms.replace(stale, zip(ids, texts, strict=True))

    def _write_sentences(self, papers: Sequence[CatalogPaper], sentences: Mapping[int, Sequence[Sentence]]) -> None:
        texts = sentence_texts(
            [(p.paper.title, sentence.text) for p in papers for sentence in sentences[p.id]],
            self._embedder.count_tokens,
            self._embedder.max_tokens,
        )
        vectors = self._embedder.encode(texts)
        ends = np.cumsum([len(sentences[p.id]) for p in papers])
        rows = np.split(vectors, ends[:-1])
        self._files.sentences.replace((p.id, row) for p, row in zip(papers, rows, strict=True))
