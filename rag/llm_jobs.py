"""What is asked of the thread that owns a llama.cpp model."""

import queue
import threading
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from rag.records import Reading, Sampling, Token


class Call:
    """Work on the model that ends in one result."""

    def __init__(self, work: Callable[[], list[float]], cancel: threading.Event, closing: threading.Event) -> None:
        self._ends = (cancel, closing)
        self._work = work
        self.output: queue.Queue[list[float] | BaseException] = queue.Queue()

    def stopped(self) -> bool:
        """Whether nobody waits for the result any more."""
        return any(end.is_set() for end in self._ends)

    def run(self) -> None:
        """Do the work; its result or error is the output."""
        try:
            self.output.put([] if self.stopped() else self._work())
        except BaseException as error:
            self.output.put(error)


class Job:
    """A text to be written."""

    def __init__(
        self,
        tokens: list[int],
        head: list[int],
        grammar: str,
        max_tokens: int,
        cancel: threading.Event,
        closing: threading.Event,
        sampling: Sampling,
        bias: Mapping[int, float],
    ) -> None:
        self.bias = bias
        self.tokens = tokens
        self.head = head
        self.grammar = grammar
        self.max_tokens = max_tokens
        self.cancel = cancel
        self.closing = closing
        self.sampling = sampling
        self.started = False
        self.abandoned = threading.Event()
        self.output: queue.Queue[Reading | Token | BaseException | None] = queue.Queue()

    def at_the_beginning(self, tokens: npt.NDArray[np.intc], logits: npt.NDArray[np.single]) -> npt.NDArray[np.single]:
        """The logits of the next token, with the bias where nothing is written yet."""
        if len(tokens) <= len(self.tokens):
            for token, more in self.bias.items():
                logits[token] += more
        return logits

    def stopped(self) -> bool:
        """Whether nobody wants the text any more."""
        return self.cancel.is_set() or self.abandoned.is_set() or self.closing.is_set()
