"""Quote: sentences of the papers, word for word. The model chooses which, or the ranking does where it is too small."""

import math
import re
from collections.abc import Iterator
from contextlib import closing

from rag.grammar import MOST_CHOICES, REFUSAL, choice_grammar, selection_grammar
from rag.prompting import AnswerPrompt
from rag.records import Checked, LanguageModel, Reading, Token
from rag.writing.writer import Task, dictate

# Able models stop at one number, and the second holds the rest of the answer (figures in eval/LOG.md).
_LEAST_CHOSEN = 2
# So much of probability is left to refusing and to choosing, whatever is set.
_LEAST = 1e-3
_CHOICE = re.compile(r"\[(\d+(?:\s*[,;]\s*\d+)*)\]")
# A choice such as " [10]" takes so many tokens at the most.
_CHOICE_TOKENS = 8


class Quote:
    """Copies evidence. With a `model`, that writes the numbers of what to copy under a grammar, or refuses."""

    name = "quote"

    def __init__(self, model: LanguageModel | None, threshold: float = 0.5) -> None:
        """`threshold` is the probability of choosing, against refusing, under which the model refuses."""
        self.prompt = AnswerPrompt("quote_system")
        self.samples = model is not None
        self.most_evidence = MOST_CHOICES if model else 10**6
        self._model = model
        threshold = min(max(threshold, _LEAST), 1 - _LEAST)
        self._bias = {REFUSAL: math.log(threshold / (1 - threshold))}

    def write(self, task: Task) -> Iterator[Reading | Token | Checked]:
        """Quote what is chosen, as soon as it is chosen."""
        draft = task.draft
        if self._model is None:
            yield from draft.quote_best()
            return
        by_number = {item.number: item for item in draft.evidence}
        # Of several papers those that speak to the question are picked out, as they come.
        grammar = (
            selection_grammar(len(draft.evidence), _LEAST_CHOSEN)
            if draft.several
            else choice_grammar(len(draft.evidence), draft.most_quoted, _LEAST_CHOSEN)
        )
        seen = 0
        with closing(
            dictate(self._model, task, grammar, min(task.max_tokens, draft.most_quoted * _CHOICE_TOKENS), self._bias)
        ) as events:
            for event in events:
                yield event
                chosen = [int(number) for group in _CHOICE.findall(draft.raw) for number in re.findall(r"\d+", group)]
                # A model that no grammar holds may name what was not shown, and too much.
                named = [by_number[number] for number in chosen[seen:] if number in by_number]
                yield from draft.quote(named[: draft.most_quoted - len(draft.claims)])
                seen = len(chosen)
        if not draft.claims and not task.cancel.is_set() and draft.raw.strip() != REFUSAL:
            # There was no room for a choice.
            yield from draft.quote_best()
