"""Evidence numbers -> a llama.cpp grammar (GBNF) in which a wrong citation cannot be written. Pure.

An answer is one to `max_sentences` sentences. A sentence ends with a full stop and then one or two citations, each a
number of the evidence shown. Brackets cannot be written in a sentence, so that a citation stands nowhere else. The
alternative, always open, is the fixed refusal.

llama.cpp accepts an invalid grammar and dies on its use, so this is built from constant pieces and integers alone.
"""

REFUSAL = "The papers do not say."


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


def question_grammar() -> str:
    """GBNF for one question on one line, beginning with a question word."""
    return """root ::= first [^?!.\\n\\[\\]<>|{}:\\"]{15,140} "?"
first ::= "What " | "Which " | "How " | "Who " | "When " | "Where " | "Why " | "By how much " | "For what "
"""
