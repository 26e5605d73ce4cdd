"""How sure must a search be before anything is written? Pure."""

from rag.evidence import Idf, unknown_share

# A question most of whose words the collection never uses is likely about something else (figures in eval/LOG.md).
_FOREIGN = 0.6
_FOREIGN_MARGIN = 0.12


def needed_confidence(question: str, idf: Idf, threshold: float) -> float:
    """The confidence of a search (0..1) under which `question` is refused: `threshold`, or more for foreign words."""
    foreign = unknown_share(question, idf) >= _FOREIGN
    return threshold + (_FOREIGN_MARGIN if foreign else 0.0)
