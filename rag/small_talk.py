"""Greetings, thanks, and questions about Citable itself -> an answer that no paper is needed for. Pure.

Only whole, short messages of a closed list are understood, in English. Anything more is a question for the papers: one
that is taken for small talk is not answered, while small talk that is searched for is only refused.
"""

import re
from collections.abc import Mapping, Sequence

from rag.examples import example_questions
from rag.listing import parse_listing
from rag.records import CatalogPaper

_LONGEST = 80  # characters of small talk
_HELLO = (
    r"(?:hello|hi|hey|hiya|howdy|greetings|good (?:morning|afternoon|evening|day))"
    r"(?: (?:there|all|everyone|everybody|citable|again))?"
)
_THANKS = r"(?:many thanks|thanks|thank you|thx|ty|cheers)(?: (?:a lot|so much|very much|again))?"
_PRAISE = (
    r"(?:that|this|it) (?:helps|helped|is (?:helpful|great|good|perfect|useful|all))(?: a lot)?|"
    r"(?:very |that is |that was )?(?:helpful|useful|great|perfect|nice|good|cool|awesome)(?: answer)?"
)
_OK = r"(?:ok|okay|k|alright|all right|fine|i see|got it|understood|yes|no|yep|sure)"
_BYE = r"(?:bye|goodbye|bye bye|good bye|good night|goodnight|see you|see you later|ciao)"
_TOOL = r"(?:you|citable|(?:this|the) (?:tool|app|application|program|chat|chatbot|bot|page|site|website|system))"
_USE = r"(?:use|work with|talk to|search with)"
_ABOUT = (
    rf"(?:who|what)(?: exactly)? (?:are|is) {_TOOL}(?: exactly)?",
    rf"what (?:can|do|does|could) {_TOOL} do(?: for me)?",
    rf"(?:who|what) (?:are|is) {_TOOL} and what (?:can|do|does) (?:you|it) do(?: for me)?",
    rf"what (?:is|are) {_TOOL} (?:for|about|good for|able to do)",
    r"what (?:can|could|may|should|do) i (?:ask|ask you|ask here|ask for|type|type here|do here|do)",
    r"what (?:kind|kinds|sort|sorts|type|types) of questions? (?:can|could|may|should) i ask(?: you| here)?",
    r"what questions (?:can|could|may|should) i ask(?: you| here)?",
    r"what questions can you answer",
    r"what can you (?:answer|tell me|help with|help me with)",
    rf"how (?:do|can|could|should|would) i {_USE} (?:this|{_TOOL})",
    rf"how to {_USE} (?:this|{_TOOL})",
    r"how (?:do|can) i (?:ask|search|start|begin|ask a question|ask you something)",
    rf"how (?:do|does) {_TOOL} work",
    rf"tell me about (?:yourself|{_TOOL})",
    r"introduce yourself",
    r"(?:please )?help(?: me)?(?: please)?",
    r"can you help(?: me)?",
    r"are you (?:a |an )?(?:human|person|bot|robot|ai|chatbot|llm|language model|chatgpt|gpt)",
)
# These may be asked of a paper, where one was spoken of.
_ALONE = (r"what is this", r"what does this do", r"how does (?:this|it) work", r"how do i use it", r"instructions")
_SURE = (
    r"how (?:sure|certain|confident) are you(?: (?:of|about) (?:that|it|this))?",
    r"how (?:reliable|accurate) are (?:you|your answers|the answers)",
    r"are you (?:really |quite |absolutely )?(?:sure|certain)(?: (?:of|about) (?:that|it|this))?",
    r"can i (?:trust|rely on) (?:you|your answers|the answers)",
    r"(?:do|can) you (?:hallucinate|make things up|make mistakes)",
)


def _forms(*forms: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{form})" for form in forms))


_FORMS = {
    "hello": _forms(_HELLO, rf"(?:{_HELLO} )?how are you(?: doing)?(?: today)?"),
    "thanks": _forms(rf"(?:{_OK} )?{_THANKS}(?: (?:{_PRAISE}))?", _PRAISE, rf"(?:{_OK} )?(?:{_PRAISE}) {_THANKS}"),
    "bye": _forms(rf"(?:{_OK} )?(?:{_THANKS} )?(?:and )?{_BYE}"),
    "ok": _forms(_OK, rf"{_OK} {_OK}"),
    "about": _forms(rf"(?:{_HELLO} )?(?:{'|'.join(_ABOUT)})"),
    "sure": _forms(*_SURE),
}
_FORMS_ALONE = _forms(rf"(?:{_HELLO} )?(?:{'|'.join(_ALONE)})")
_SHORT = {
    "thanks": "You are welcome. Ask on whenever you like.",
    "bye": "Goodbye.",
    "ok": "All right. What would you like to know from the papers?",
}
_DOES = (
    "Citable answers questions from the papers that are indexed here. Every sentence of an answer is quoted from a "
    "paper, or checked against the sentence that it cites; what the papers do not say is refused."
)
_HOW_SURE = (
    "Each sentence of an answer is quoted word for word or was checked against what it cites, so that you can look it "
    "up. Whether the papers answer the question at all is an estimate: where it is too low the answer is a refusal, "
    "and where it is in doubt the answer tells on which words nothing was found. Citable does not know whether a "
    "paper is right."
)
_RANGE = 5  # years of the filter that is shown


def parse_small_talk(message: str, *, alone: bool = False) -> str | None:
    """What kind of small talk `message` is: hello, thanks, bye, ok, about or sure; None for anything else.

    `alone` tells that nothing was spoken of before: then "How does it work?" asks about Citable.
    """
    if len(message) > _LONGEST:
        return None
    # "What's" and "you're" are written out; other signs part words, or "Hi-C" would be a greeting with a letter.
    said = re.sub(r"['\u2019]s\b", " is", message.casefold())
    said = re.sub(r"['\u2019]re\b", " are", said)
    said = " ".join(re.sub(r"[^\w]+", " ", said).split())
    if not said:
        return None
    kind = next((kind for kind, form in _FORMS.items() if form.fullmatch(said)), None)
    return kind or ("about" if alone and _FORMS_ALONE.fullmatch(said) else None)


def small_talk_answer(kind: str, years: Mapping[int | None, int], some: Sequence[CatalogPaper]) -> str:
    """The answer in words: paragraphs, and questions to try, each on a line that begins with "- ".

    `years` is how many papers there are of each year, None for those that tell none; `some` are papers to make examples
    of.
    """
    if kind in _SHORT:
        return _SHORT[kind]
    if kind == "sure":
        return _HOW_SURE
    hello = ["Hello."] if kind == "hello" else []
    tries = _to_try(some)
    return "\n\n".join([" ".join([*hello, _DOES]), f"{_how_many(years)} For instance, ask:", "\n".join(tries)])


def _how_many(years: Mapping[int | None, int]) -> str:
    total, known = sum(years.values()), [year for year in years if year is not None]
    return f"There {'is' if total == 1 else 'are'} {total:,} paper{'s' * (total != 1)}{years_told(known)}."


def years_told(known: Sequence[int]) -> str:
    """As in ", from 1905 to 2021", for the years of papers; nothing where there are none."""
    if not known:
        return ""
    first, last = min(known), max(known)
    return f", from {first} to {last}" if first < last else f", from {first}"


def _to_try(some: Sequence[CatalogPaper]) -> list[str]:
    tries = example_questions([entry.paper for entry in some], 1)
    if known := [entry.paper.year for entry in some if entry.paper.year is not None]:
        first, last = max(min(known), max(known) - _RANGE + 1), max(known)
        # Of a paper that the filter lets through, or the question would be refused.
        late = [entry.paper for entry in some if entry.paper.year is not None and entry.paper.year >= first]
        (question,) = example_questions(late, 1)
        tries.append(f"year:{first}-{last} {question}" if first < last else f"year:{last} {question}")
    if name := _author(some):
        tries.append(f"Which papers did {name} write?")
    return [f"- {one}" for one in [*tries, "List all papers."]]


def _author(some: Sequence[CatalogPaper]) -> str:
    """An author whose name the question for his papers is understood with; nothing where there is none."""
    names = (entry.paper.authors[0] for entry in some if entry.paper.authors)
    known = (name for name in names if parse_listing(f"Which papers did {name} write?"))
    return next(known, "")
