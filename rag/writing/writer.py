"""What every mode of writing is given and gives: a task in, events out, and claims in the task's draft.

A writer reads no index and searches nothing. What it shows is checked by the draft, whatever the mode.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Protocol

from rag.drafting import Draft
from rag.prompting import AnswerPrompt
from rag.records import Checked, Drafting, LanguageModel, Message, Reading, Sampling, Token

WriterEvent = Drafting | Reading | Token | Checked


@dataclass
class Task:
    """One answer to be written into `draft`, whose evidence `messages` show, in at most `sentences` sentences.

    A writer that makes several drafts puts the one to be shown in the place of `draft`.
    """

    messages: Sequence[Message]
    draft: Draft
    sentences: int
    max_tokens: int
    sampling: Sampling
    cancel: Event


class Writer(Protocol):
    """A mode of writing. `samples` tells whether another seed can give another answer."""

    name: str
    prompt: AnswerPrompt
    samples: bool
    most_evidence: int

    def write(self, task: Task) -> Iterator[WriterEvent]:
        """Write the answer: events as it goes on, claims in the draft; ends early when the task is cancelled."""


def dictate(
    model: LanguageModel, task: Task, grammar: str, max_tokens: int, bias: Mapping[str, float] | None = None
) -> Generator[Reading | Token, None, None]:
    """Let the model write and the draft take note. Close it to stop the model."""
    draft = task.draft
    draft.sampling = task.sampling
    written = model.stream(
        task.messages, grammar=grammar, max_tokens=max_tokens, cancel=task.cancel, sampling=task.sampling, bias=bias
    )
    try:
        for event in written:
            if isinstance(event, Reading):
                draft.read_tokens = event.total
            else:
                draft.raw += event.text
                draft.generated_tokens += 1
            yield event
        draft.ended = not task.cancel.is_set() and draft.generated_tokens < max_tokens
    finally:
        written.close()
