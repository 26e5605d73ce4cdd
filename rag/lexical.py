"""The BM25 adapter: tantivy over the stems of `terms.py`. Knows integer ids and text, nothing of papers.

Chosen by measurement (eval/LOG.md, "Engines for large collections"): it skips what cannot come among the best, where
SQLite's FTS5 scores every row that holds one of the words. It adds and deletes in commits on disk; what was not
committed when a process died is as if it had never been. Stemming and folding are done before it, by the function that
evidence choice and verification use.
"""

import math
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import tantivy

from rag.errors import REINDEX, IndexMismatchError
from rag.terms import compounds, content_terms, seams, splits, terms

_HEAP = 64_000_000  # bytes of a commit in work, before they go to disk
# Another way to write a word of the question, against the word itself (figures in eval/LOG.md).
_OTHER_WEIGHT = 0.5
_SCHEMA = (
    tantivy.SchemaBuilder()
    .add_unsigned_field("id", stored=False, indexed=True, fast=True)
    .add_text_field("body", stored=False, tokenizer_name="whitespace", index_option="position")
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
        # What a Greek letter is glued to comes last, so that phrases of the text stay phrases.
        rows = [(i, " ".join([*terms(text), *seams(text)])) for i, text in add]
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

    def query(
        self,
        question: str,
        count: int,
        within: Sequence[int] | None = None,
        others: Sequence[tuple[str, str]] = (),
    ) -> list[tuple[int, float]]:
        """The `count` best ids by BM25 with their scores (higher is better), over the question's content words.

        With `within`, of these ids only. `others` are further forms of what the question says: `(said, form)`, stems
        with spaces between. These and compounds, joined and apart, are looked for too, for less weight than the words
        themselves. What is written in two ways is as rare as both together, or the rarer way would be the better (as
        in Pirkola's structured queries, SIGIR 1998).
        """
        if within is not None and not within:
            return []
        words = [*(content_terms(question) or terms(question)), *seams(question)]
        with self._lock:
            scores = dict(self._matches(words, count, within))
            for said, form in (*self._compounds(question), *others):
                if found := self._matches([form], count, within):
                    weight = _OTHER_WEIGHT * self._rarity([said, form]) / self._own_rarity(form)
                    for passage, score in found:
                        scores[passage] = scores.get(passage, 0.0) + weight * score
        return sorted(scores.items(), key=lambda item: (-item[1], item[0]))[:count]

    def _matches(self, phrases: Sequence[str], count: int, within: Sequence[int] | None) -> list[tuple[int, float]]:
        """The best passages that hold any of `phrases`, terms with spaces between."""
        if not phrases:
            return []
        query = _any_of(phrases)
        if within is not None:
            allowed = tantivy.Query.const_score_query(tantivy.Query.term_set_query(_SCHEMA, "id", list(within)), 0.0)
            query = tantivy.Query.boolean_query([(tantivy.Occur.Must, query), (tantivy.Occur.Must, allowed)])
        hits = self._searcher.search(query, max(1, count), count=False).hits
        ids = self._searcher.fast_field_values("id", [address for _, address in hits]) if hits else []
        return [(int(i or 0), float(score)) for i, (score, _) in zip(ids, hits, strict=True)]

    def _rarity(self, phrases: Sequence[str]) -> float:
        """The idf of a word that stands where any of `phrases` does."""
        found: Any = self._searcher.search(_any_of(phrases), 1, count=True)  # its stub lacks `count`
        return _idf(self._searcher.num_docs, found.count)

    def _own_rarity(self, phrase: str) -> float:
        """The idf that tantivy gives a phrase: the sum of its words'."""
        return sum(_idf(self._searcher.num_docs, self._held(word)) for word in phrase.split())

    def _compounds(self, question: str) -> list[tuple[str, str]]:
        """The words of a question joined or apart that the collection knows: `(what it says, form)`."""
        ways = [(split.joined, " ".join(split.parts)) for split in splits(question)]
        ways += [(" ".join(compound.parts), compound.joined) for compound in compounds(question)]
        return [(said, form) for said, form in ways if all(map(self._held, form.split()))]

    def _held(self, word: str) -> int:
        return int(self._searcher.doc_freq("body", word))

    def idf(self, words: Sequence[str]) -> dict[str, float]:
        """Inverse document frequency of each stem, ln(1 + (N - n + 0.5) / (n + 0.5)) as in BM25 (Robertson 2009)."""
        with self._lock:
            total = self._searcher.num_docs
            return {word: _idf(total, self._held(word)) for word in words}

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


def _any_of(phrases: Iterable[str]) -> tantivy.Query:
    return tantivy.Query.boolean_query(
        [(tantivy.Occur.Should, _phrase(phrase.split())) for phrase in dict.fromkeys(phrases) if phrase]
    )


def _phrase(words: Sequence[str]) -> tantivy.Query:
    if len(words) == 1:
        return tantivy.Query.term_query(_SCHEMA, "body", words[0], "freq")
    return tantivy.Query.phrase_query(_SCHEMA, "body", list(words))


def _idf(total: int, held: int) -> float:
    # What was deleted is still counted among those held until tantivy tidies up.
    held = min(total, held)
    return math.log(1 + (total - held + 0.5) / (held + 0.5))
