"""Free: the model writes plain prose; each sentence is then attributed to the evidence that carries it.

There is no grammar. The brackets that a model may write by itself are ignored: what a sentence cites is found by the
check. What no evidence carries is replaced by the sentence that it comes nearest to, or left out.
"""

import re
from collections.abc import Iterator
from contextlib import closing

from rag.citations import Written
from rag.prompting import AnswerPrompt
from rag.records import Checked, LanguageModel, Reading, Token
from rag.sentences import split_sentences
from rag.writing.writer import Task, dictate

_CITATION = re.compile(r"\s*\[\d+(?:\s*[,;\u2013-]\s*\d+)*\]?")
_DECORATION = re.compile(r"^\s*(?:[-*\u2022#]+\s+|\d{1,2}[.)]\s+)|\*\*|__|`")
_CLOSING = re.compile(r"(?<=[.!?])\s*(?=\[\d)")


class Free:
    """Lets an able model write as it likes and keeps what the evidence carries."""

    name = "free"
    samples = True

    def __init__(self, model: LanguageModel) -> None:
        self.prompt = AnswerPrompt("free_system")
        self.most_evidence = 10**6
        self._model = model

    def write(self, task: Task) -> Iterator[Reading | Token | Checked]:
        """Write, check each sentence when the next begins; quote the best evidence where nothing of it can be kept."""
        draft = task.draft
        draft.patient = True
        with closing(dictate(self._model, task, "", task.max_tokens)) as events:
            for event in events:
                yield event
                if isinstance(event, Token):
                    yield from self._check(task, finished=False)
        if task.cancel.is_set():
            return
        yield from self._check(task, finished=True)
        if draft.failed and not draft.has_own:
            yield from draft.quote_best()

    def _check(self, task: Task, *, finished: bool) -> Iterator[Checked]:
        draft = task.draft
        sentences = prose_sentences(draft.raw)
        whole = len(sentences) if finished and draft.ended else len(sentences) - 1
        for place in range(draft.seen, whole):
            draft.seen += 1
            rest = "" if place + 1 >= len(sentences) else sentences[place + 1]
            yield from draft.take(Written(sentences[place], ()), rest)
        if finished and draft.seen < len(sentences):
            # The last sentence was broken off.
            draft.seen = len(sentences)
            draft.dropped += 1
            draft.failed = True
            yield Checked(None)


def prose_sentences(raw: str) -> list[str]:
    """The sentences of a model's prose without citations, bullets and emphasis; the last may be unfinished."""
    # "It holds. [1] Next": the citation would keep the sentence from ending.
    text = _CITATION.sub("", _CLOSING.sub(" ", raw))
    lines = "\n\n".join(_DECORATION.sub("", line).strip() for line in text.splitlines())
    return [lines[start:end] for start, end in split_sentences(lines)]
