"""Which BM25 engine for a million passages: time to build, seconds a query, disk and memory of each.

`python -m eval.bench.lexical --passages 1000000`. The text is generated: words by Zipf's law as in English abstracts,
queries of eight words taken from a passage, none of the hundred most frequent words among them, as stop words are left
out of questions. Each engine runs in a process of its own; `fts5` is the baseline of the ratios. Engines that are not
installed are named and left out.
"""

import argparse
import importlib.util
import json
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

ENGINES = ("fts5", "tantivy", "bm25s")
_VOCABULARY = 400_000
_STOP_WORDS = 100
_BLOCK = 10_000
Search = Callable[[Sequence[str], int], Sequence[int]]


def passages(count: int, seed: int = 0) -> Iterator[tuple[int, list[str]]]:
    """Ids and words of generated passages, 90 to 190 words each; the same for the same seed."""
    generator = np.random.default_rng(seed)
    weights = 1 / (np.arange(_VOCABULARY) + 2.7)  # Zipf-Mandelbrot
    cumulated = np.cumsum(weights / weights.sum())
    for start in range(0, count, _BLOCK):
        lengths = generator.integers(90, 190, min(_BLOCK, count - start))
        ranks = np.searchsorted(cumulated, generator.random(int(lengths.sum())))
        ends = np.cumsum(lengths)
        for offset, (end, length) in enumerate(zip(ends.tolist(), lengths.tolist(), strict=True)):
            yield start + offset, [f"w{rank}" for rank in ranks[end - length : end].tolist()]


def queries(count: int, words: int = 8, seed: int = 1) -> list[list[str]]:
    """Eight different words of one passage each, without the most frequent ones."""
    generator = np.random.default_rng(seed)
    found = []
    for _, text in passages(count, seed):
        rare = sorted({word for word in text if int(word[1:]) >= _STOP_WORDS})
        found.append([rare[i] for i in generator.permutation(len(rare))[:words]])
    return found


def build_fts5(folder: Path, count: int) -> Search:
    """SQLite's full-text index: every matching row is scored."""
    database = sqlite3.connect(folder / "fts5.db")
    database.execute("CREATE VIRTUAL TABLE passages USING fts5(body, tokenize='ascii')")
    with database:
        database.executemany(
            "INSERT INTO passages(rowid, body) VALUES (?, ?)", ((i, " ".join(text)) for i, text in passages(count))
        )

    def search(words: Sequence[str], limit: int) -> list[int]:
        match = " OR ".join(f'"{word}"' for word in words)
        rows = database.execute(
            "SELECT rowid FROM passages WHERE passages MATCH ? ORDER BY rank LIMIT ?", (match, limit)
        )
        return [row[0] for row in rows]

    return search


def build_tantivy(folder: Path, count: int) -> Search:
    """Rust, Lucene's way: whatever cannot come among the best is skipped (block-max WAND)."""
    import tantivy

    schema = (
        tantivy.SchemaBuilder()
        .add_unsigned_field("id", stored=False, indexed=True, fast=True)
        .add_text_field("body", stored=False, tokenizer_name="whitespace", index_option="freq")
        .build()
    )
    (folder / "tantivy").mkdir()
    index = tantivy.Index(schema, str(folder / "tantivy"))
    writer = index.writer(heap_size=128_000_000, num_threads=1)
    for i, text in passages(count):
        document = tantivy.Document(body=" ".join(text))
        document.add_unsigned("id", i)
        writer.add_document(document)
    writer.commit()
    writer.wait_merging_threads()
    index.reload()

    def search(words: Sequence[str], limit: int) -> list[int]:
        searcher = index.searcher()
        terms = [(tantivy.Occur.Should, tantivy.Query.term_query(schema, "body", word)) for word in words]
        hits = searcher.search(tantivy.Query.boolean_query(terms), limit, count=False).hits
        return [int(i or 0) for i in searcher.fast_field_values("id", [address for _, address in hits])]

    return search


def build_bm25s(folder: Path, count: int) -> Search:
    """Sparse matrices of all scores, in memory, made in one go: no adding, no deleting."""
    import bm25s

    engine = bm25s.BM25()
    engine.index([text for _, text in passages(count)], show_progress=False)
    engine.save(str(folder / "bm25s"))

    def search(words: Sequence[str], limit: int) -> list[int]:
        found, _ = engine.retrieve([list(words)], k=limit, show_progress=False)
        return [int(i) for i in found[0]]

    return search


def measure(engine: str, count: int, asked: int) -> dict[str, float | str]:
    """Build and ask one engine in this process; sizes in MiB, times in seconds."""
    build = {"fts5": build_fts5, "tantivy": build_tantivy, "bm25s": build_bm25s}[engine]
    folder = Path(tempfile.mkdtemp())
    try:
        started = time.perf_counter()
        search = build(folder, count)
        built = time.perf_counter() - started
        seconds = []
        for words in queries(asked):
            started = time.perf_counter()
            search(words, 100)
            seconds.append(time.perf_counter() - started)
        disk = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    finally:
        shutil.rmtree(folder)
    return {
        "engine": engine,
        "build": built,
        "p50": float(np.percentile(seconds, 50)),
        "p95": float(np.percentile(seconds, 95)),
        "disk": disk / 2**20,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10,
    }


def main() -> None:
    """Measure all engines and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--engine", choices=ENGINES, help="only this one, printed as JSON")
    args = parser.parse_args()
    if args.engine:
        print(json.dumps(measure(args.engine, args.passages, args.queries)))
        return
    print(f"{args.passages} passages, {args.queries} queries of eight words, 100 results each")
    print("| engine | build, s | query p50, ms | p95, ms | disk, MiB | peak memory, MiB |\n|---|---|---|---|---|---|")
    baseline = None
    for engine in ENGINES:
        if engine != "fts5" and importlib.util.find_spec(engine) is None:
            print(f"| {engine} | not installed |")
            continue
        command = [sys.executable, "-m", "eval.bench.lexical", "--engine", engine]
        command += ["--passages", str(args.passages), "--queries", str(args.queries)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if run.returncode:
            print(f"| {engine} | failed: {run.stderr.strip().splitlines()[-1:]} |")
            continue
        row = json.loads(run.stdout)
        baseline = baseline or row
        times = " | ".join(f"{1000 * row[name]:.1f} (x{row[name] / baseline[name]:.2f})" for name in ("p50", "p95"))
        print(f"| {engine} | {row['build']:.0f} | {times} | {row['disk']:.0f} | {row['memory']:.0f} |", flush=True)


if __name__ == "__main__":
    main()
