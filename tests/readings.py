"""Papers being read to put them in order, to the end."""

from rag.records import Ranking
from rag.rerank import Reading


def finish(reading: Reading) -> tuple[list[Ranking], dict[int, float]]:
    """What a reading told on its way, and the scores that it ended with."""
    told: list[Ranking] = []
    while True:
        try:
            told.append(next(reading))
        except StopIteration as end:
            return told, end.value
