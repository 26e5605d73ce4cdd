"""A million passages: does a search stay under 150 ms and 6 GB, and how much of the exact nearest does Chroma find?

`python -m eval.bench.scale --folder DIR` builds an index of generated papers of one passage each, through the adapters
of the product, and then searches it in a process of its own through the product's `Retriever`. Not measured is what the
embedding model takes. Words follow Zipf's law, vectors lie in clusters and have the falling spectrum of real ones.
Building goes on where it was interrupted. Ratios are against bare Chroma, asked for as many in the same process.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from eval.bench.lexical import passages, queries
from rag.catalog import Catalog
from rag.index_files import IndexFiles
from rag.ingest import address
from rag.records import Paper, TokenVectors, Vectors
from rag.retrieval import Retriever

DIMENSIONS = 384
_CLUSTERS = 2_000
_SENTENCES = 8
_TOKENS = 260
_BATCH = 5_000
_CANDIDATES = 100
_SPECTRUM = (np.arange(1, DIMENSIONS + 1) ** -0.5).astype(np.float32)


def vectors_of(block: int) -> Vectors:
    """Unit vectors of the papers of one block, shape (_BATCH, DIMENSIONS); the same for the same block."""
    centres = np.random.default_rng(0).normal(size=(_CLUSTERS, DIMENSIONS)).astype(np.float32)
    generator = np.random.default_rng([1, block])
    noise = generator.normal(size=(_BATCH, DIMENSIONS)).astype(np.float32)
    return _unit((centres[generator.integers(0, _CLUSTERS, _BATCH)] + 0.8 * noise) * _SPECTRUM)


def _unit(vectors: Vectors) -> Vectors:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True), dtype=np.float32)


def token_pool(count: int = 50) -> list[TokenVectors]:
    """Token vectors of a few passages, which all passages share: what is in them does not change the work."""
    generator = np.random.default_rng(2)
    return [
        TokenVectors(
            generator.integers(1000, 30_000, _TOKENS).astype(np.int32),
            _unit(generator.normal(size=(_TOKENS, DIMENSIONS)).astype(np.float32)),
        )
        for _ in range(count)
    ]


def build(folder: Path, count: int) -> None:
    """Make the index, or go on making it."""
    files = IndexFiles(folder)
    pool = token_pool()
    texts = passages(count)
    done = files.catalog.counts().indexed
    for _ in range(done):
        next(texts)
    started = time.perf_counter()
    for block in tqdm(range(done // _BATCH, count // _BATCH), desc="blocks of 5,000", initial=done // _BATCH):
        _build_block(files, block, texts, pool)
    files.close()
    if done < count:
        sys.stdout.write(f"built {count - done} passages in {time.perf_counter() - started:.0f} s\n")


def _build_block(
    files: IndexFiles, block: int, texts: Iterator[tuple[int, list[str]]], pool: list[TokenVectors]
) -> None:
    bodies = [" ".join(next(texts)[1]) for _ in range(_BATCH)]
    first = block * _BATCH
    files.catalog.add(
        Paper(
            f"Paper {first + n}",
            body,
            (f"Author {(first + n) % 9973}",),
            1990 + (first + n) % 35,
            own_id=str(first + n),
        )
        for n, body in enumerate(bodies)
    )
    ids = files.catalog.pending()
    vectors = vectors_of(block)
    parts = [address(paper_id, 0) for paper_id in ids]
    files.store.upsert(parts, vectors)
    files.lexical.replace([], zip(parts, bodies, strict=True))
    files.acronyms.replace([], zip(parts, bodies, strict=True))
    near = np.random.default_rng([3, block]).normal(size=(_SENTENCES, DIMENSIONS)).astype(np.float32) * 0.03
    files.sentences.replace((paper_id, vectors[n] + near) for n, paper_id in enumerate(ids))
    files.tokens.replace([], ((part, pool[part % len(pool)]) for part in parts))
    files.catalog.finish_indexing(dict.fromkeys(ids, (1, _SENTENCES)))


class Embedder:
    """Gives the vector that it is told to; what embedding takes is not measured here."""

    name = digest = "bench"
    dimensions = DIMENSIONS
    max_tokens = 256
    token_weight = 4.0

    def __init__(self) -> None:
        self.vector = np.zeros(DIMENSIONS, dtype=np.float32)
        self._tokens = TokenVectors(*(getattr(token_pool(1)[0], name)[:16] for name in ("ids", "vectors")))

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One vector a text."""
        return np.stack([self.vector] * len(texts))

    def encode_tokens(self, texts: Sequence[str]) -> tuple[Vectors, list[TokenVectors]]:
        """The same, and sixteen token vectors a text."""
        return self.encode(texts), [self._tokens] * len(texts)

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        """Sixteen, anywhere."""
        return [(0, min(1, len(text)))] * 16

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Few enough."""
        return [16] * len(texts)


@dataclass(frozen=True, slots=True)
class _Question:
    words: str
    vector: Vectors


def ask(folder: Path, count: int, asked: int) -> dict[str, float]:
    """Open the index, search it, and compare with exact search; times in seconds, sizes in MiB."""
    found: dict[str, float] = {}
    started = time.perf_counter()
    files, embedder = IndexFiles(folder), Embedder()
    rankings = ("passage", "sentence", "bm25", "tokens")
    retriever = Retriever(files, embedder, rankings=rankings, candidates=_CANDIDATES, papers=5)
    found["open"] = time.perf_counter() - started
    found["memory opened"] = _memory()
    generator = np.random.default_rng(4)
    like = vectors_of(count // _BATCH + 1)[:asked]
    blur = _unit(generator.normal(size=like.shape).astype(np.float32) * _SPECTRUM)
    questions = [
        _Question(" ".join(words), vector)
        for words, vector in zip(queries(asked), _unit(like + 0.3 * blur), strict=True)
    ]

    def search(question: _Question, within: set[int] | None = None) -> None:
        embedder.vector = question.vector
        retriever.search(question.words, within=within)

    found["first search"] = _seconds([questions[0]], search)[0]
    found |= _percentiles("search", _seconds(questions, search))
    bare = _seconds(questions, lambda q: files.store.query(q.vector, _CANDIDATES))
    found |= _percentiles("bare Chroma", bare)
    found |= _percentiles("BM25", _seconds(questions, lambda q: files.lexical.query(q.words, _CANDIDATES)))
    for share in (0.0005, 0.01, 0.3):
        within = set((1 + generator.permutation(count)[: int(count * share)]).tolist())
        taken = _seconds(questions[:20], partial(search, within=within))
        found |= _percentiles(f"search within {len(within)} papers", taken)
    found["memory searched"] = _memory()
    near = [[part for part, _ in files.store.query(q.vector, _CANDIDATES)] for q in questions]
    exact = _exact(count, np.stack([q.vector for q in questions]), files.catalog)
    for depth in (10, _CANDIDATES):
        hits = [len(set(a[:depth]) & set(b[:depth])) / depth for a, b in zip(near, exact, strict=True)]
        found[f"recall at {depth}"] = float(np.mean(hits))
    files.close()
    return found


def _exact(count: int, wanted: Vectors, catalog: Catalog) -> list[list[int]]:
    """The parts of the true nearest passages of each question."""
    rows = [vectors_of(block) @ wanted.T for block in range(count // _BATCH)]
    best = np.argsort(-np.concatenate(rows), axis=0)[:_CANDIDATES]
    first = catalog.papers([1])[0].id
    return [[address(first + int(row), 0) for row in column] for column in best.T]


def _seconds(questions: Sequence[_Question], run: Callable[[_Question], object]) -> list[float]:
    taken = []
    for question in questions:
        started = time.perf_counter()
        run(question)
        taken.append(time.perf_counter() - started)
    return taken


def _percentiles(name: str, seconds: Sequence[float]) -> dict[str, float]:
    return {f"{name} p{at}": float(np.percentile(seconds, at)) for at in (50, 95)}


def _memory() -> float:
    """The most memory that this process has held, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():
        # What getrusage tells of a process includes the one that started it.
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def main() -> None:
    """Build, then search in another process, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="where the index is made; kept")
    parser.add_argument("--passages", type=int, default=1_000_000, help="a multiple of 5,000 (default: %(default)s)")
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--ask", action="store_true", help="only search; print JSON")
    args = parser.parse_args()
    if args.ask:
        sys.stdout.write(json.dumps(ask(args.folder, args.passages, args.queries)))
        return
    build(args.folder, args.passages)
    command = [sys.executable, "-m", "eval.bench.scale", "--ask", "--folder", str(args.folder)]
    command += ["--passages", str(args.passages), "--queries", str(args.queries)]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)  # noqa: S603
    for name, value in found.items():
        unit = "" if name.startswith("recall") else " MiB" if name.startswith("memory") else " s"
        sys.stdout.write(f"{name}: {value:.3f}{unit}\n")
    for at in ("p50", "p95"):
        sys.stdout.write(f"search / bare Chroma {at}: {found[f'search {at}'] / found[f'bare Chroma {at}']:.2f}\n")
    for part in sorted(args.folder.iterdir()):
        size = sum(p.stat().st_size for p in ([part] if part.is_file() else part.rglob("*")) if p.is_file())
        sys.stdout.write(f"disk {part.name}: {size / 2**20:.0f} MiB\n")


if __name__ == "__main__":
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    main()
