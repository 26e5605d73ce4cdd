"""`python -m eval.bench.comprehension`: reading papers for a question against embedding the same text, in one process.

The baseline is the plain `encode` of sentence-transformers on the question and the papers, with the same model on which
the reader stands. Printed are the milliseconds of a paper and the ratio of the medians.
"""

import statistics
import time
from collections.abc import Callable
from itertools import islice

from rag.bundled_sample import sample_path
from rag.config import Config
from rag.loading import load_comprehender, load_embedder
from rag.readers import read_papers
from rag.records import Paper
from rag.sentences import split_sentences

QUESTION = "How much faster was the new method than the one before, and on which data was that measured?"
PAPERS = 5
RUNS = 9


def sample_papers() -> list[tuple[str, list[str]]]:
    """The first papers of the bundled sample, each as its title and its sentences."""
    papers = (paper for paper in read_papers(sample_path()) if isinstance(paper, Paper))
    return [
        (paper.title, [paper.abstract[start:end] for start, end in split_sentences(paper.abstract)])
        for paper in islice(papers, PAPERS)
    ]


def main() -> None:
    """Measure in turn and print the medians."""
    config = Config(embedding_model="bundled")
    embedder = load_embedder(config)
    comprehender = load_comprehender(config, embedder)
    papers = sample_papers()
    texts = [QUESTION, *(" ".join([title, *sentences]) for title, sentences in papers)]
    tasks: dict[str, Callable[[], object]] = {
        "encode": lambda: embedder.encode(texts),
        "comprehend": lambda: comprehender.comprehend(QUESTION, papers),
    }
    taken: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(RUNS):
        for name, task in tasks.items():
            start = time.perf_counter()
            task()
            taken[name].append(1000 * (time.perf_counter() - start) / len(papers))
    middle = {name: statistics.median(values) for name, values in taken.items()}
    for name, value in middle.items():
        print(f"{name}: {value:.1f} ms a paper")
    print(f"comprehend / encode: {middle['comprehend'] / middle['encode']:.2f}")


if __name__ == "__main__":
    main()
