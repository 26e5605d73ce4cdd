"""The BM25 adapter: tantivy over the stems of `terms.py`. Knows integer ids and text, nothing of papers.

Chosen by measurement (eval/LOG.md, "A million passages"): it skips what cannot come among the best, where SQLite's FTS5
scores every row that holds one of the words. It adds and deletes in commits on disk; what was not committed when a
process died is as if it had never been. Stemming and folding are done before it, by the function that evidence choice
and verification use.
"""

import math
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

import tantivy

from rag.errors import REINDEX, IndexMismatchError
from rag.terms import content_terms, terms

_HEAP = 64_000_000  # bytes of a commit in work, before they go to disk
_SCHEMA = (
    tantivy.SchemaBuilder()
    .add_unsigned_field("id", stored=False, indexed=True, fast=True)
    .add_text_field("body", stored=False, tokenizer_name="whitespace", index_option="freq")
    .build()
)


class LexicalIndex:
    """A folder with one document a passage. Usable from several threads, one at a time."""

    def __init__(self, folder: Path) -> None:
        """Open or create the index in `folder`. Raises IndexMismatchError if it cannot be read."""
        self._lock = threading.Lock()
        self._writer: tantivy.IndexWriter | None = None
        folder.mkdir(parents=True, exist_ok=True)
        try:
            self._index = tantivy.Index(_SCHEMA, str(folder), reuse=True)
            self._searcher = self._index.searcher()
        except (ValueError, OSError) as error:
            raise IndexMismatchError(f"the lexical index {folder} cannot be opened ({error}). {REINDEX}") from None

    def replace(self, delete: Iterable[int], add: Iterable[tuple[int, str]]) -> None:
        """Remove the ids of `delete` and add `(id, text)` pairs in place of what their ids had, in one commit."""
        rows = [(i, " ".join(terms(text))) for i, text in add]
        with self._lock:
            # One thread: the order of documents, and so that of equal scores, is then always the same.
            writer = self._writer = self._writer or self._index.writer(heap_size=_HEAP, num_threads=1)
            if old := sorted({*delete, *(i for i, _ in rows)}):
                writer.delete_documents_by_query(tantivy.Query.term_set_query(_SCHEMA, "id", old))
            for i, body in rows:
                document = tantivy.Document(body=body)
                document.add_unsigned("id", i)
                writer.add_document(document)
            writer.commit()
            self._index.reload()
            self._searcher = self._index.searcher()

    def query(self, question: str, count: int, within: Sequence[int] | None = None) -> list[tuple[int, float]]:
        """The `count` best ids by BM25 with their scores (higher is better), over the question's content words.

        With `within`, of these ids only.
        """
        words = content_terms(question) or terms(question)
        if not words or (within is not None and not within):
            return []
        parts = [(tantivy.Occur.Should, tantivy.Query.term_query(_SCHEMA, "body", word, "freq")) for word in words]
        query = tantivy.Query.boolean_query(parts)
        if within is not None:
            allowed = tantivy.Query.const_score_query(tantivy.Query.term_set_query(_SCHEMA, "id", list(within)), 0.0)
            query = tantivy.Query.boolean_query([(tantivy.Occur.Must, query), (tantivy.Occur.Must, allowed)])
        with self._lock:
            hits = self._searcher.search(query, max(1, count), count=False).hits
            ids = self._searcher.fast_field_values("id", [address for _, address in hits]) if hits else []
        scored = ((int(i or 0), float(score)) for i, (score, _) in zip(ids, hits, strict=True))
        return sorted(scored, key=lambda item: (-item[1], item[0]))

    def idf(self, words: Sequence[str]) -> dict[str, float]:
        """Inverse document frequency of each stem, ln(1 + (N - n + 0.5) / (n + 0.5)) as in BM25 (Robertson 2009)."""
        with self._lock:
            total = self._searcher.num_docs
            # What was deleted is still counted in n until tantivy tidies up.
            held = {word: min(total, self._searcher.doc_freq("body", word)) for word in words}
        return {word: math.log(1 + (total - n + 0.5) / (n + 0.5)) for word, n in held.items()}

    def count(self) -> int:
        """Passages in the index."""
        with self._lock:
            return int(self._searcher.num_docs)

    def close(self) -> None:
        """Let go of the files, once what tantivy tidies up in the background is done."""
        with self._lock:
            if self._writer is not None:
                self._writer.wait_merging_threads()
                self._writer = None
