"""Does a question ask what something is, and does a sentence tell it? Pure, by the form of both; for English.

"What is BERT?" is answered by the sentence that introduces BERT, not by one with a figure of it. Where no sentence has
such a form, nothing changes.
"""

import re
from functools import lru_cache

_MOST_WORDS = 6
_LONGEST, _LONGEST_SENTENCE = 200, 1000  # characters
_ARTICLE = r"(?:(?:an?|the|this|these|your|their) )?"
_BEFORE = r"(?:(?:please|so|and|but|ok|okay|can you|could you|now),? )*"
_SIMPLY = (
    r"(?:,? (?:to|for) (?:a |an |the )?\w+|,? (?:in|with) (?:a few |simple |plain |one )?\w+|"
    r",? (?:briefly|simply|please|again))?"
)
_EXPLAIN = r"(?:define|explain|describe|introduce)(?: to me| me)? (?:what |how )?"
# Words that a name alone cannot begin with.
_NO_NAME = r"(?!(?:the|it|they|more|less|why|how|when|where|who|what|which|yes|no)\b)"
_FORMS = tuple(
    re.compile(rf"^\W*{_BEFORE}{form}[?.! ]*$", re.IGNORECASE)
    for form in (
        rf"what(?:['\u2019]s| is| are| was| were)(?: meant by| the (?:idea|meaning) of)? {_ARTICLE}(?P<what>.+?)",
        rf"what (?:does|do|did) {_ARTICLE}(?P<what>.+?) (?:mean|stand for|do|refer to)",
        rf"how (?:does|do|did) {_ARTICLE}(?P<what>.+?) works?",
        rf"{_EXPLAIN}{_ARTICLE}(?P<what>.+?)(?: is| are| means?| works?)?{_SIMPLY}",
        rf"tell me (?:more )?(?:about|what) {_ARTICLE}(?P<what>.+?)(?: is| are)?{_SIMPLY}",
        rf"(?:the )?(?P<what>(?:{_NO_NAME}[\w-]+ ?){{1,3}})",
    )
)
# "What is the effect of X on Y?" asks of something that is known already; so does "what is used".
_RELATES = re.compile(
    r"\b(?:about|across|after|against|among|and|as|at|because|before|between|by|during|for|from|how|if|in|into|like|no|not|"
    r"on|or|over|than|that|to|under|used|using|versus|via|vs|what|when|where|whether|which|who|why|with|without)\b",
    re.IGNORECASE,
)
_CALLED = r"(?:call(?:s|ed)?|named?s?|dubbed|term(?:s|ed)|known as)"
_NEW = (
    r"(?:introduc(?:es?|ed|ing)|propos(?:es?|ed|ing)|present(?:s|ing)?|develop(?:s|ed|ing)?|defin(?:es?|ed|ing)|"
    r"describ(?:es?|ed|ing))"
)
# Words between the verb and the name that begin nothing else.
_PLAIN = r"(?:(?!and\b|or\b|of\b|for\b|to\b|with\b|in\b|on\b|by\b|where|that\b|which\b|based|using)[\w'\u2019-]+,? )"
_OF_A_KIND = r"(?:is|was) (?:an?|the|one|any|what)\b|(?:are|were) (?!\w+ed\b|not\b|also\b)[a-z]"
_MEANS = r"(?:means?|stands? for|refers? to|denotes?|(?:is|are) defined)\b"
_BESIDE = r"(?:\s*\([^()]*\))?"
# How surely a form introduces what is asked for; the last does at the beginning of an abstract, and less with each
# sentence.
_DEFINED, _NAMED, _BEGUN = 1.0, 0.75, 0.5
_LESS = 0.2


def asked_what_it_is(question: str) -> str:
    """What `question` asks to be explained: "BERT" of "What is BERT?"; empty where it asks for something else."""
    question = " ".join(question[: 2 * _LONGEST].split())
    for form in _FORMS if len(question) <= _LONGEST else ():
        if found := form.match(question):
            what = found["what"].strip()
            fits = len(what.split()) <= _MOST_WORDS and re.search(r"\w", what) and not _RELATES.search(what)
            return what if fits else ""
    return ""


def defines(what: str, text: str, place: int) -> float:
    """How surely the sentence `text` tells what `what` is, 0..1; `place` is its place in the abstract, from 0."""
    text = text[:_LONGEST_SENTENCE]
    sure = next((sure for sure, form in _patterns(what) if _introduced(form, text)), 0.0)
    return sure if sure > _BEGUN else max(0.0, sure - _LESS * place)


def _introduced(form: re.Pattern[str], text: str) -> bool:
    """Whether `text` has the form with the name by itself: who introduces a Vision Mamba introduces no Mamba."""
    found = form.search(text)
    before = re.search(r"(\S+)\s$", text[: found.start("name")]) if found else None
    return found is not None and not (before and before.start() and before[0][0].isupper())


@lru_cache(maxsize=256)
def _patterns(what: str) -> tuple[tuple[float, re.Pattern[str]], ...]:
    """Forms of sentences that introduce `what`, with how surely they do, the surest first."""
    if not (name := _name(what)):
        return ()
    name = rf"(?P<name>{name}){_BESIDE}"
    start = r"^\W*(?:[\w-]+,? ){0,2}?"
    forms = (
        (_DEFINED, rf"{start}{name} (?:{_OF_A_KIND}|{_MEANS})"),
        (_DEFINED, rf"^\W*(?:the )?{name}, (?:an?|the|which (?:is|are))\b"),
        (_NAMED, rf"\b{_CALLED} {_PLAIN}{{0,2}}{name}"),
        (_NAMED, rf"\b{_NEW} {_PLAIN}{{0,5}}{name}"),
        (_NAMED, rf"\b{_NEW}\b[^.;:]{{0,80}}, (?:an?|the) {name}(?=[.,;:])"),
        (_NAMED, rf"\((?P<name>{_name(what)})\)"),
        (_BEGUN, start + name),
    )
    return tuple((sure, re.compile(form, re.IGNORECASE)) for sure, form in forms)


def _name(what: str) -> str:
    """A pattern of `what`, singular or plural, with any signs between its words; empty without words."""
    words = re.findall(r"\w+", what)
    if not words:
        return ""
    *head, last = map(re.escape, words)
    if len(last) > len("abs") and not last.endswith("ss"):
        last = last.removesuffix("s")
    return r"(?<![\w-])" + r"[\W_]{1,3}".join([*head, rf"{last}(?:s|es)?"]) + r"(?![\w-])"
