"""Evidence numbers -> a llama.cpp grammar (GBNF) in which a wrong citation cannot be written. Pure.

A composed answer is one to `max_sentences` sentences. A sentence ends with a full stop and then one or two citations,
each a number of the evidence shown. Brackets cannot be written in a sentence, so that a citation stands nowhere else. A
choice of quotations is some of the numbers, each once; a selection is as many as there are at the most. The
alternative to all, always open, is the fixed refusal.

llama.cpp accepts an invalid grammar and dies on its use, so this is built from constant pieces and integers alone.
"""

from collections.abc import Sequence
from itertools import combinations

REFUSAL = "The papers do not say."
# The rules of a choice grow with the combinations of numbers: 176 of three out of ten.
MOST_CHOICES = 10
_MOST_CHOSEN = 4


def answer_grammar(evidence_count: int, max_sentences: int = 3) -> str:
    """GBNF for an answer over evidence 1..`evidence_count`. Raises ValueError unless both are at least 1."""
    if evidence_count < 1 or max_sentences < 1:
        raise ValueError("a grammar needs at least one evidence sentence and one answer sentence")
    numbers = " | ".join(f'"{number}"' for number in range(1, evidence_count + 1))
    more = f'(" " sentence){{0,{max_sentences - 1}}}' if max_sentences > 1 else '""'
    # A stop that goes on with a letter or digit ("0.5", "e.g.") does not end a sentence; one before a space does.
    return f'''root ::= "{REFUSAL}" | sentence {more}
sentence ::= first body "." cite cite?
cite ::= " [" number "]"
number ::= {numbers}
first ::= [A-Z]
body ::= char{{12,240}}
char ::= [^.\\[\\]\\n<>|{{}}!?] | "." [A-Za-z0-9,]
'''


def choice_grammar(evidence_count: int, most: int, least: int = 1) -> str:
    """GBNF for a choice of the numbers 1..`evidence_count` in any order, none twice: `[2] [5]`.

    They are `least` to `most`, 4 at the most; where there are fewer than `least`, that many do. Raises
    ValueError unless the evidence has 1 to MOST_CHOICES sentences and one at least may be chosen.
    """
    if not 1 <= evidence_count <= MOST_CHOICES or most < 1:
        raise ValueError(f"a choice needs 1 to {MOST_CHOICES} evidence sentences and at least one to choose")
    most = min(most, _MOST_CHOSEN, evidence_count)
    least = max(1, min(least, most))
    numbers = range(1, evidence_count + 1)
    rules = []
    # A rule for each set of numbers that are taken already: what may still follow.
    for size in range(most):
        for taken in combinations(numbers, size):
            options = []
            for number in numbers:
                if number not in taken:
                    rest = f" {_after(sorted((*taken, number)))}" if size + 1 < most else ""
                    options.append(f'"[{number}]"{rest}' if not taken else f'" [{number}]"{rest}')
            rules.append(f"{_after(taken)} ::= " + " | ".join([*options, *(['""'] if size >= least else [])]))
    return "\n".join([f'root ::= "{REFUSAL}" | {_after(())}', *rules]) + "\n"


def selection_grammar(evidence_count: int, least: int = 1) -> str:
    """GBNF for `least` or more of the numbers 1..`evidence_count`, in any order: `[2] [5] [3]`. One may come again.

    Where there are fewer than `least`, that many do. Raises ValueError unless there is one at least.
    """
    if evidence_count < 1:
        raise ValueError("a selection needs at least one evidence sentence")
    numbers = " | ".join(f'"[{number}]"' for number in range(1, evidence_count + 1))
    least = max(1, min(least, evidence_count))
    more = f'(" " number){{{least - 1},{evidence_count - 1}}}' if evidence_count > 1 else ""
    return f'root ::= "{REFUSAL}" | number {more}\nnumber ::= {numbers}\n'


def _after(taken: Sequence[int]) -> str:
    return "-".join(["after", *map(str, taken)])


def question_grammar() -> str:
    """GBNF for one question on one line, beginning with a question word."""
    return """root ::= first [^?!.\\n\\[\\]<>|{}:\\"]{15,140} "?"
first ::= "What " | "Which " | "How " | "Who " | "When " | "Where " | "Why " | "By how much " | "For what "
"""
