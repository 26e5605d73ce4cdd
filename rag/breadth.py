"""Does a question ask for several papers, or for what one of them says? Pure.

"Which studies show that ...?", "Compare ...", "What do we know about ...?" are answered by a sentence from each paper
on the matter, others by the sentences of the best one. Only the form of the question is looked at: how many papers
deserve to be quoted is left to their scores. The words that ask for papers are no matter to search for (`matter_of`).
"""

import re

# Of a collection. One paper too has authors, groups, trials, experiments and measurements.
_WORKS = r"(?:papers|works|studies|articles|publications|preprints|surveys|reviews)"
_FILLER = r"(?:(?!did|does?|the|is|are|was|were)[\w-]+ ){0,2}?"
_WAYS = (
    r"(?:approaches|methods|methodologies|techniques|ways|strategies|solutions|algorithms|models|systems|tools|"
    r"resources|frameworks|architectures|designs|ideas|theories|explanations|mechanisms|views|applications|uses|"
    r"variants|extensions|alternatives|fields|areas|domains)"
)
_SOME = r"(?:which|what|whose|any|other|all|these|those|more|several|various|different|recent|two|three)"
_DONE = r"(?:study|studied|use|used|examine|examined|measure|measured|show|shown|document|report|reported|support)"
_US = r"(?:we|i|you|one|people|researchers|science)"
_GIVE = r"(?:list|find|show|give|name)(?: me)?"
_NUMBER = r"(?:\d{1,3}|two|three|four|five|six|seven|eight|nine|ten|a few|several|some)"
_FORMS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"\b{_SOME} {_FILLER}{_WORKS}\b(?! did)",
        rf"^\W*(?:which|what) (?:\w+ )?(?:experiments|trials|observations|measurements) {_DONE}\b",
        rf"\b(?:the|these|those|your|my|our) {_WORKS} (?:on|about|here|say|report|show|agree|disagree|differ)\b",
        rf"\b(?:are|is) there (?:\w+ )?{_WORKS}\b",
        rf"^\W*(?:please )?{_GIVE} (?:(?:all|some|the|any|{_NUMBER}) )*(?:\w+ )?{_WORKS}\b",
        rf"\bwhat (?:[\w-]+ )?{_WAYS} (?:are there|exist|have been|are (?:known|proposed|available))\b",
        r"\b(?:different|various|several|competing|alternative|existing|main) (?:[\w-]+ ){0,1}?" + _WAYS + r"\b",
        r"^\W*(?:(?:please|can you|could you|now) )*(?:compare|contrast)\b|[.;:] *compare\b",
        rf"^\W*(?:please )?(?:summari[sz]e|review) (?:the |these |all |my |what )*(?:\w+ )?(?:{_WORKS}|is known)\b",
        r"\boverview\b|\bwhat(?:'s| is) the state of the art (?:in|on|of|for)\b|\bthe literature\b",
        r"\beach of (?:them|these|those|which)\b",
        r"\btell me (?:all|everything|what|which)\b",
        rf"\bwhat (?:do|does|did|have|has|can) {_US}(?: all)? (?:know|got|learnt|learned|found)\b",
        r"\bwhat(?:'s| is| has been)(?: \w+)? (?:known|written|published) (?:on|about)\b",
        r"\bhow (?:have|has) (?:people|researchers|authors|scientists|others|papers|the field)\b",
        r"\b(?:how|where|why) do (?:researchers|authors|scientists|others|(?:these |the |different )?papers)\b",
        # "Where has the species been seen?" asks of something that is known already.
        r"^\W*(?:who|where)(?: else)? (?:has|have) (?!the |this |that |it |been |access )(?:[\w-]+ )*?(?:been|\w+ed)\b",
        r"^\W*who else\b",
        rf"^\W*how many {_WORKS}\b",
        r"\bin (?:what|which) (?:different|other|various) (?:ways|forms|fields|areas|domains|settings)\b",
    )
)


# What only says that papers are asked for: a paper on how studies are done is not meant by "which studies".
_FRAME = re.compile(
    rf"^\W*(?:(?:please|can you|could you) )*{_GIVE} (?:the |any |up to |at least )?{_NUMBER} (?:\w+ )?{_WORKS}\b|"
    rf"\b(?:{_WORKS}|compare|contrast|overview|summari[sz]e)\b|"
    rf"\bwhat (?:do|have|can) {_US} (?:know|got|learnt|learned)\b",
    re.IGNORECASE,
)
_COMPARING = re.compile(r"^\W*(?:(?:please|can you|could you|now) )*(?:compare|contrast|summari[sz]e)\b", re.IGNORECASE)


def matter_of(question: str) -> str:
    """`question` without the words that ask for papers; as it is where nothing would be left."""
    left = " ".join(_FRAME.sub(" ", question).split())
    return left if re.search(r"\w", left) else question


def asks_to_compare(question: str) -> bool:
    """Whether `question` asks for papers that are given to be compared or summarised."""
    return bool(_COMPARING.search(question))


def asks_for_several(question: str) -> bool:
    """Whether `question` has the form of one that several papers answer together."""
    return any(form.search(question) for form in _FORMS)
