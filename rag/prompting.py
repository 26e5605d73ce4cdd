"""Templates + evidence -> the messages that the language model reads, inside a token budget.

The system message is the same for every question, so that llama.cpp reads it once.
"""

import re
from collections.abc import Callable, Sequence
from importlib.resources import files
from string import Template

from rag.errors import UsageError
from rag.records import Evidence, Hit, Message, Sentence
from rag.unseen import without_unseen

_CITATION = re.compile(r"\[(\d+(?:\s?[,;\u2013-]\s?\d+)*)\]")
Chosen = tuple[Hit, Sentence, float]
CountTokens = Callable[[Sequence[Message]], int]


def load_template(name: str, placeholders: frozenset[str]) -> Template:
    """The template `prompts/<name>.txt`. Raises ValueError unless it holds exactly these placeholders."""
    template = Template((files("prompts") / f"{name}.txt").read_text(encoding="utf-8").strip())
    found = frozenset(template.get_identifiers())
    if not template.is_valid() or found != placeholders:
        raise ValueError(f"prompts/{name}.txt must hold ${sorted(placeholders)}, it holds ${sorted(found)}")
    return template


class AnswerPrompt:
    """The prompt for answering a question from numbered evidence, with the system message of a mode of writing."""

    def __init__(self, system: str = "compose_system") -> None:
        self._system = Message("system", load_template(system, frozenset()).substitute())
        self._user = load_template("answer_user", frozenset({"evidence", "question"}))

    def check(self, question: str, count: CountTokens, *, prompt_tokens: int) -> int:
        """Tokens of the prompt without evidence. Raises UsageError if they leave no room for any."""
        bare = count(self._messages(question, []))
        if bare >= prompt_tokens:
            raise _too_long(bare, prompt_tokens)
        return bare

    def fit(
        self, question: str, chosen: Sequence[Chosen], count: CountTokens, *, evidence_tokens: int, prompt_tokens: int
    ) -> tuple[list[Message], list[Evidence]]:
        """Messages with as much of `chosen` (best first) as the two budgets hold, and that evidence with its numbers.

        `evidence_tokens` bounds what the evidence adds to the prompt, `prompt_tokens` the whole prompt; the best
        sentence is shown even if it alone exceeds the former. There are no messages if it does not fit the prompt.
        Raises UsageError if the question leaves no room.
        """
        bare = self.check(question, count, prompt_tokens=prompt_tokens)
        kept: list[Chosen] = []
        for candidate in chosen:
            size = count(self._messages(question, _number([*kept, candidate])))
            if size > prompt_tokens or (kept and size - bare > evidence_tokens):
                continue
            kept.append(candidate)
        if not kept:
            return [], _number(chosen[:1])
        evidence = _number(kept)
        return self._messages(question, evidence), evidence

    def _messages(self, question: str, evidence: Sequence[Evidence]) -> list[Message]:
        lines: list[str] = []
        for i, item in enumerate(evidence):
            if i == 0 or item.key != evidence[i - 1].key:
                lines.append(f"Paper: {_one_line(item.title)}")
            lines.append(f"[{item.number}] {_one_line(item.sentence.text)}")
        user = self._user.substitute(evidence="\n".join(lines), question=_one_line(question))
        return [self._system, Message("user", user)]


class QuestionPrompt:
    """The prompt for writing a question that a sentence answers."""

    def __init__(self) -> None:
        self._user = load_template("question_user", frozenset({"sentence", "answer"}))

    def messages(self, sentence: str, answer: str) -> list[Message]:
        """Messages that ask for one question on `sentence`, with `answer` as its answer."""
        return [Message("user", self._user.substitute(sentence=_one_line(sentence), answer=_one_line(answer)))]


def _too_long(tokens: int, limit: int) -> UsageError:
    return UsageError(
        f"the question is too long: with it, no evidence fits the model's context ({tokens} tokens of {limit}). Ask a "
        "shorter question, or raise context_tokens."
    )


def _number(chosen: Sequence[Chosen]) -> list[Evidence]:
    """Evidence grouped by paper in the order of each paper's best sentence, inside a paper in the order of the text."""
    order = {key: rank for rank, key in reversed(list(enumerate(hit.key for hit, _, _ in chosen)))}
    grouped = sorted(chosen, key=lambda item: (order[item[0].key], item[1].index))
    return [
        Evidence(number, hit.title, hit.key, hit.link, sentence, score, hit.decides(sentence))
        for number, (hit, sentence, score) in enumerate(grouped, start=1)
    ]


def _one_line(text: str) -> str:
    """`text` on one line; numbers in brackets are put in other ones, for a paper's own references are no evidence."""
    return _CITATION.sub(r"(\1)", " ".join(without_unseen(text).split()))
