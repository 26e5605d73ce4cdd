"""Which mode of writing suits a language model: by its size, unless a setting says which."""

from dataclasses import replace

from rag.config import AUTO
from rag.errors import UsageError
from rag.records import LanguageModel, Sampling
from rag.writing.best_of import BestOf
from rag.writing.compose import Compose
from rag.writing.free import Free
from rag.writing.quote import Quote
from rag.writing.writer import Writer

# Parameters of a model. What was measured stands in eval/LOG.md: below the first, choices are no better than the
# ranking; above it they are, while sentences of a model of 1.5 billion still fail the check; the second is a guess.
TINY = 400_000_000
ABLE = 7_000_000_000
# Asking again at temperature 0 would give the same answer.
_RETRY_TEMPERATURE = 0.7


def mode_of(writing: str, parameters: int) -> str:
    """The mode that the setting `writing` means for a model with so many `parameters`; 0 is an unknown number."""
    if writing != AUTO:
        return writing
    if not parameters:
        return "compose"
    return "free" if parameters >= ABLE else "quote"


def make_writer(
    writing: str, model: LanguageModel, parameters: int, best_of: int = 1, threshold: float = 0.5
) -> Writer:
    """The writer for a model; one that quotes refuses, at temperature 0, below the probability `threshold` of a choice.

    Raises UsageError where several drafts are asked of one that would repeat itself.
    """
    tiny = 0 < parameters < TINY
    mode = mode_of(writing, parameters)
    writer: Writer
    if mode == "quote":
        writer = Quote(None if tiny else model, threshold)
    elif mode == "compose":
        writer = Compose(model, patient=not tiny)
    else:
        writer = Free(model)
    if best_of > 1 and not writer.samples:
        raise UsageError(
            f"setting 'best_of': {model.name} is so small that the ranking chooses what it quotes, each time the same. "
            "Set best_of to 1, or writing to compose."
        )
    return BestOf(writer, best_of) if best_of > 1 else writer


def describe_writing(writing: str, parameters: int) -> str:
    """The mode in words, and what chose it."""
    mode = mode_of(writing, parameters)
    size = f"{parameters / 1e9:.1f}B" if parameters >= 1e9 else f"{parameters / 1e6:.0f}M"
    chosen = f"auto: the model has {size} parameters" if parameters else "auto: the size of the model is not known"
    by = "; the ranking chooses the sentences" if mode == "quote" and 0 < parameters < TINY else ""
    return f"{mode} ({chosen if writing == AUTO else 'as set'}){by}"


def retry(sampling: Sampling) -> Sampling:
    """The sampling for writing an answer once more: the next seed, and a temperature that lets it count."""
    return replace(sampling, temperature=sampling.temperature or _RETRY_TEMPERATURE, seed=sampling.seed + 1)
