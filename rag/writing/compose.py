"""Compose: the model writes sentences of its own under a grammar that makes each end with evidence numbers."""

from collections.abc import Iterator
from contextlib import closing

from rag.grammar import answer_grammar
from rag.prompting import AnswerPrompt
from rag.records import Checked, LanguageModel, Reading, Token
from rag.writing.writer import Task, dictate


class Compose:
    """Lets the model write and checks each sentence.

    A patient one replaces or drops a sentence that fails and goes on. One that is not, for a model whose first failure
    is followed by others, stops there and quotes the best evidence.
    """

    name = "compose"
    samples = True

    def __init__(self, model: LanguageModel, *, patient: bool) -> None:
        self.prompt = AnswerPrompt("compose_system")
        self.most_evidence = 10**6
        self._model = model
        self._patient = patient

    def write(self, task: Task) -> Iterator[Reading | Token | Checked]:
        """Write sentence by sentence; quote the best evidence where nothing of it can be kept."""
        draft = task.draft
        draft.patient = self._patient
        grammar = answer_grammar(len(draft.evidence), task.sentences)
        with closing(dictate(self._model, task, grammar, task.max_tokens)) as events:
            for event in events:
                yield event
                if isinstance(event, Token):
                    yield from draft.check(finished=False)
                    if (draft.failed and not self._patient) or draft.strays():
                        break
        if task.cancel.is_set():
            return
        if not draft.failed or self._patient:
            # A sentence that was broken off, for straying or for want of tokens, fails here.
            yield from draft.check(finished=True)
        if draft.failed and not (self._patient and draft.has_own):
            yield from draft.quote_best()
