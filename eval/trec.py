"""How questions, papers and scores are named in TREC runs and qrels. Pure."""

from collections.abc import Sequence
from urllib.parse import quote


def gold_key(key: str, title: str) -> str:
    """How a gold paper is named in qrels: by its key, or as missing where it is not in the index."""
    return key or "missing:" + trec_id(title)


def falling_scores(scores: Sequence[float]) -> list[float]:
    """The scores of a ranking, made strictly falling: trec_eval sorts by score and breaks ties by its own rule.

    Steps of a millionth are above what its single-precision scores tell apart, for scores around 1 or less.
    """
    falling: list[float] = []
    for score in scores:
        rounded = round(score, 6)
        falling.append(rounded if not falling else round(min(rounded, falling[-1] - 1e-6), 6))
    return falling


def trec_id(question_id: str) -> str:
    """A question's id without white space, which separates the columns of TREC files; other ids stay other ids."""
    return quote(question_id, safe="/:;,.+-_()<>#@!~*'=&?$")
