"""Does a question ask for several papers, or for what one of them says? Pure.

"Which studies show that ...?", "Compare ...", "What do we know about ...?" are answered by a sentence from each paper
on the matter, others by the sentences of the best one. Only the form of the question is looked at: how many papers
deserve to be quoted is left to their scores.
"""

import re

_WORKS = (
    r"(?:papers|works|studies|articles|publications|preprints|surveys|reviews|authors|researchers|groups|teams|"
    r"experiments|trials|observations|measurements|contributions)"
)
_WAYS = (
    r"(?:approaches|methods|methodologies|techniques|ways|strategies|solutions|algorithms|models|systems|tools|"
    r"resources|frameworks|architectures|designs|ideas|findings|results|theories|explanations|mechanisms|views|"
    r"applications|uses|variants|extensions|alternatives|kinds|types|forms|fields|areas|domains)"
)
_SOME = r"(?:which|what|whose|any|other|all|these|those|more|several|various|different|recent|two|three)"
_MANY = r"(?:different|various|several|all|other|many|competing|alternative|existing)"
_PEOPLE = r"(?:people|researchers|authors|scientists|others|papers|different|these|the various)"
_US = r"(?:we|i|you|one|people|researchers|they|science)"
_SAID = r"(?:known|there|written|published|said|done|reported)"
_FORMS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        # Those of a collection, not those that one paper counts: "which papers", "do any studies", "the works here".
        rf"\b{_SOME} (?:[\w-]+ ){{0,2}}?{_WORKS}\b",
        rf"\b(?:the|these|those|your|my|our) {_WORKS} (?:on|about|in|of|here|that|which|say|report|show)\b",
        rf"\bwhat {_WAYS} (?:are there|exist|have been|has been|are (?:known|used|proposed|available))\b",
        rf"\b{_MANY} (?:[\w-]+ ){{0,2}}?{_WAYS}\b",
        rf"\b{_WAYS} (?:of|for|to) [^?]*\b(?:compare|differ|relate)\b",
        r"\b(?:compare|contrast|overview|summari[sz]e|state of the art)\b",
        r"\b(?:differences? between|similarities between|in common|each of (?:them|these|those|which))\b",
        r"\btell me (?:all|everything|what)\b",
        rf"\bwhat (?:do|does|did|have|has|can) {_US}(?: all)? (?:know|got|learnt|learned|learn|found|find|have)\b",
        rf"\bwhat(?:'s| is| was| has been)(?: \w+)? {_SAID} (?:on|about|in)\b",
        rf"\b(?:how|where|why) (?:have|do|did|has|can|are) {_PEOPLE}\b",
        r"^\W*(?:who|where) (?:has|have|else)\b",
        r"\bin (?:what|which|how many)(?: (?:different|other|various))? (?:ways|forms|fields|areas|domains|settings)\b",
    )
)


def asks_for_several(question: str) -> bool:
    """Whether `question` has the form of one that several papers answer together."""
    return any(form.search(question) for form in _FORMS)
