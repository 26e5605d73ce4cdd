"""What is said about the answer itself: "shorter please", "what is the source?", "the second one". Pure.

Only whole, short messages of a closed list are understood, in English; anything more is a question for the papers.
What cannot be done is told in words: searched for, "shorter please" finds papers on what is short.
"""

import re

_LONGEST = 80  # characters of such a message
_ONE = r"(?:paper|article|study|publication|work)"
_ANSWER = r"(?:answer|response|text|reply)"
_THAT = rf"(?:it|that|this|(?:the|that|this|your) (?:last )?{_ANSWER})"
# What may not be a thing that the papers speak of.
_SAID = rf"(?:(?:the|this|that|your) (?:last )?(?:{_ANSWER}|information|quotation|sentence))"
_CAN = r"(?:(?:can|could|would|will) you |please |now |and |but |ok |make it |make that |make this )*"
_END = r"(?: please| now| then)*"
_SHORT = r"(?:(?:a (?:bit|little) |much |even )?(?:shorter|briefer|more (?:concise|briefly)|shortened|concise|brief))"
_PLAIN = (
    r"(?:(?:more |very |a (?:bit|little) )?(?:simply|simple|plainly)|simpler|differently|"
    r"in (?:simple|simpler|plain|other|easy|easier|your own|lay|layman s|everyday) (?:words|terms|language|english)|"
    r"for (?:a child|a layman|beginners|dummies)|(?:to me )?like i am (?:5|five))"
)
_TONGUE = (
    r"(?:english|german|french|spanish|italian|portuguese|dutch|chinese|japanese|korean|russian|arabic|turkish|polish|"
    r"hindi|swedish)"
)
_FORMS = {
    "shorter": (
        rf"{_CAN}(?:say {_THAT} |answer |be |keep {_THAT} |an? )?{_SHORT}(?: {_ANSWER}| version)?{_END}",
        rf"{_CAN}(?:give me )?an? {_SHORT} (?:{_ANSWER}|version){_END}",
        rf"{_CAN}shorten {_THAT}{_END}",
        (
            rf"{_CAN}(?:say {_THAT} |answer )?(?:in (?:one|1|a single|two|2|fewer|a few) (?:sentences?|words?|lines?)|"
            rf"in short|briefly|in a nutshell){_END}"
        ),
        rf"(?:{_THAT} is )?(?:much |far )?too long",
        r"tl ?dr",
    ),
    "simpler": (
        rf"{_CAN}(?:explain|say|put|phrase|rephrase|write|tell me)(?: {_THAT})?(?: to me)? {_PLAIN}{_END}",
        rf"{_CAN}{_PLAIN}{_END}",
        rf"{_CAN}(?:rephrase|simplify|reword) {_THAT}{_END}",
        r"eli5",
        rf"(?:sorry )?i (?:do not|don t|dont|did not|didn t|didnt|cannot|can t|cant) understand(?: {_THAT})?",
        rf"{_CAN}(?:translate|say|answer|repeat|write)(?: {_THAT})? (?:to|into|in) {_TONGUE}{_END}",
        rf"in {_TONGUE}{_END}",
    ),
    "source": (
        rf"(?:what|which) (?:is|are) (?:the|your) (?:sources?|references?|citations?)(?: (?:of|for|behind) {_SAID})?",
        rf"where (?:does|did|do) {_SAID} come from",
        rf"where is {_SAID} from",
        r"(?:where|how) did you (?:get|find|read|learn) (?:that|this)(?: from| out)?",
        r"(?:how do you know|who says|says who|who said)(?: (?:that|this|so))?",
        rf"(?:(?:what|which) {_ONE} (?:is|was) (?:that|this)|(?:that|this) is) from(?: (?:what|which) {_ONE})?",
        rf"(?:what|which) {_ONE}s? (?:says?|said|did you (?:use|quote)|is quoted|do you cite)(?: (?:that|this|so))?",
        (
            rf"{_CAN}(?:cite|show|give|list|name|tell)(?: me)? (?:your|the) (?:sources?|references?|citations?)"
            rf"(?: (?:of|for|behind) {_THAT})?{_END}"
        ),
        rf"(?:your |the )?sources?(?: for {_THAT})?{_END}",
    ),
    "repeat": (
        rf"{_CAN}(?:repeat|say|answer)(?: {_THAT})? (?:again|once more|one more time){_END}",
        rf"{_CAN}repeat(?: {_THAT})?{_END}",
        r"(?:come |say )?again|pardon(?: me)?|(?:sorry )?what did you say|once more|what was that(?: again)?",
    ),
}
_COMPILED = {kind: re.compile("|".join(f"(?:{form})" for form in forms)) for kind, forms in _FORMS.items()}
_NUMBERS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_SPOKEN = rf"(?P<place>{'|'.join(_NUMBERS)}|1st|2nd|3rd|[4-9]th|10th|last|other|next)"
_THING = rf"(?:one|{_ONE})"
_PLACE = re.compile(
    rf"(?:(?:and|so|ok|then|now|please) )*(?:(?:what|how) about |(?:can you )?(?:tell|show|give|explain)(?: me)?"
    rf"(?: more)? (?:about |of |on )?|more (?:about|on|of) |what (?:does|did) |what is )?the {_SPOKEN}(?: {_THING})?"
    r"(?: say| show| find| report| about)?(?: please| then)?|"
    r"(?:number|no|paper|paper number) (?P<digit>[1-9]|10)"
)
_WORDS = {
    "shorter": "An answer is made of sentences of the papers, which are not shortened. Ask for one thing only, such as "
    "a number, a name or a year, to get fewer of them.",
    "simpler": "An answer is made of sentences of the papers, so that you can check it: they are not put into other "
    "words or another language. Ask what one of its words means, or about one step of it; where the abstracts explain "
    "that, they are quoted.",
    "source": "The numbers in square brackets name the sources: each stands for the sentence of the paper that is "
    "listed under that number with the answer. On the page that sentence is marked in the abstract of its paper, and "
    "the title links to where the paper is published, if its record tells that.",
    "repeat": "The last answer stands above. Ask its question once more to get it again.",
    "which": "It is not clear which paper is meant. Name it by its place in the answer (\u201cthe second paper\u201d), "
    "its title, or what it is about (\u201cGive me the abstract of the paper on ...\u201d).",
}


def parse_about_answer(message: str) -> str | None:
    """What `message` wants of the last answer: shorter, simpler, source or repeat; None for anything else."""
    said = _said(message)
    return next((kind for kind, form in _COMPILED.items() if form.fullmatch(said)), None)


def about_answer(kind: str) -> str:
    """The answer in words; `which` is for a paper that cannot be told."""
    return _WORDS[kind]


def parse_place(message: str) -> str:
    """Which of the last papers `message` means: "1" to "10", "last", "other" or "next"; empty for anything else."""
    found = _PLACE.fullmatch(_said(message))
    if not found:
        return ""
    place = found["place"] or found["digit"]
    digits = re.match(r"\d+", place)
    return digits.group() if digits else str(_NUMBERS.index(place) + 1) if place in _NUMBERS else place


def names_paper(message: str) -> bool:
    """Whether `message` says that it means a paper."""
    return bool(re.search(rf"\b{_ONE}\b|^\W*(?:number|no) ", message, re.IGNORECASE))


def place_among(place: str, papers: int) -> int | None:
    """The index of the paper that `place` means among so many; None where there is none such, or it is not clear."""
    if place in ("other", "next"):
        return 1 if papers == 2 else None
    index = papers - 1 if place == "last" else int(place) - 1
    return index if 0 <= index < papers else None


def _said(message: str) -> str:
    if len(message) > _LONGEST:
        return ""
    said = re.sub(r"['\u2019]s\b", " is", message.casefold())
    said = re.sub(r"['\u2019]m\b", " am", said)
    return " ".join(re.sub(r"[^\w]+", " ", said).split())
