"""Does a paper say otherwise than a question takes for granted? Pure, by words and their places; for English.

"Why does raising the threshold find more?" takes for granted that raising does. Where a sentence of the paper is on
the same words and denies them, has the opposite direction, the sides of a comparison exchanged, or numbers with other
words, the question cannot be answered as it stands. Only what is told with a question counts: "Did it fall?" asks for
the direction, and "which group had fewer?" for whose it is. It is made to miss rather than to accuse: what another
sentence of the paper bears out is not objected to, nor by sentences on what others have done.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from rag.objections import beside, denied, pairing
from rag.placing import Words, matched, read
from rag.terms import terms
from rag.wording import alike, opposed

# Chosen on the questions of the suite `calibration` (eval/LOG.md): so much of a question must stand in a sentence that
# objects to it, by the share of its words, and so many words of it.
_ON_IT = 0.5
_ON_SIDES = 0.4
_FEWEST = 3
_DENIED = 0.5  # of the words that a negation concerns
_FEW_NUMBERS = 2  # of more, each may have others beside it
_BESIDE = 2  # content words around a direction, in the question
_AROUND = 3  # and in the sentence
_BORNE_OUT = 4
_ROOT = 3  # letters
_SIDE, _LONG_SIDE = 4, 12

_NEGATIONS = frozenset(terms("no not never none nor neither without cannot"))
_DENIES = re.compile(
    r"\b(?:no|not|never|none|nor|neither|without|cannot|nothing|lack(?:s|ed|ing)?|absent|absence|missing|"
    r"fail(?:s|ed|ing|ure)?|unable)\b|n['\u2019]t\b",
    re.IGNORECASE,
)
_ASKING = frozenset(
    terms(
        "why how what which who whom whose when where whether many much long often far large big wide name tell say "
        "show find report paper study author explain account one ones"
    )
)
# Negations that deny nothing, read before others.
_HARMLESS = re.compile(
    r"\bnot (?:only|just|merely|simply|necessarily|solely)\b|\bno (?:more|less|fewer|later|earlier|sooner) than\b|"
    r"\bwhether or not\b|\bif not\b|\bnot to mention\b",
    re.IGNORECASE,
)
_OTHERS = re.compile(
    r"\b(?:existing|previous(?:ly)?|prior|current(?:ly)?|conventional|traditional(?:ly)?|unlike|until now|so far|"
    r"to date|typical(?:ly)?|usual(?:ly)?|commonly?)\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[^A-Z][.?!;])\s+")
_DECIDES = re.compile(
    r"(?:^|[:;,\u2014-])[\s\"'(]{0,3}(?:(?:and|so|but|then|or),? )?"
    r"(?:do|does|did|is|are|was|were|can|could|has|have|had|will|would|should|may|might)\b|\bwhether\b",
    re.IGNORECASE,
)
_WHO = re.compile(
    r"(?P<part>\b(?:in|on|at|for|of|with|by|under|from|among|through|to|against|after|before|during|within) )?"
    r"\b(?P<word>which|what|who|whom|whose|where|when|why|how)\b",
    re.IGNORECASE,
)
# What stands behind is a case, and not told of all.
_SUPPOSED = re.compile(r"\b(?:when|if|while|unless|where|than|once)\b", re.IGNORECASE)
# What is asked of a thing that may have gone either way: "How did X affect Y?", "What does X show?".
_EITHER_WAY = re.compile(
    r"\bhow (?:well|far|often|badly)\b|"
    r"\b(?:affect|influence|change|impact|alter|depend|relate|vary|matter|respond|do|fare|perform|prove|show|say|tell|"
    r"suggest|mean|imply|report|find|conclude|handle|treat|score|make of|think)\b|"
    r"\b(?:effect|effects|influence|impact|role|difference|progress|relation|relationship|link|evidence)\b",
    re.IGNORECASE,
)
# Behind "how", what is told of how much or how it came about.
_COME_ABOUT = re.compile(
    r"^ (?:many|much|long|come|could|can|was it|is it|large|big|high|fast|strongly)\b", re.IGNORECASE
)
_LONGEST = 600  # characters of a question; a longer one is none of these
_CAUSE = re.compile(
    r"^\W*(?:makes?|made|explains?|explained|accounts? for|accounted for|causes?|caused|drives?|drove|leads?|led|"
    r"(?:is|are|was|were) (?:it about|the (?:reason|point|cause)|behind)|lets?|keeps?|kept)\b",
    re.IGNORECASE,
)
_GENERAL = frozenset(terms("more less"))
_Check = Callable[["_Asked", int], bool]
_ACTS = re.compile(r"\b(?:do|does|did)\b", re.IGNORECASE)


def objecting(question: str, title: str, sentences: Sequence[str]) -> int | None:
    """Which sentence of a paper speaks against what `question` takes for granted, the first found; None for none."""
    texts = [read(_HARMLESS.sub(" ", text)) for text in sentences]
    heading = read(title)
    for told in _SENTENCE.split(question) if len(question) <= _LONGEST else ():
        # "Continue the treatment?" asks for yes or no, too.
        if _DECIDES.search(told) or (told.rstrip().endswith("?") and not _WHO.search(told)):
            continue
        asked = _Asked(_HARMLESS.sub(" ", told), texts, heading)
        nearest = sorted(range(len(texts)), key=lambda place: -asked.shares[place])
        for objects, share in _checks(told):
            for place in nearest:
                if asked.shares[place] < share:
                    break
                if not _OTHERS.search(sentences[place]) and objects(asked, place):
                    return place
    return None


class _Asked:
    """A sentence of a question beside those of a paper."""

    def __init__(self, told: str, texts: Sequence[Words], title: Words) -> None:
        self.told = told
        self.words = read(told)
        self.content = _content(self.words)
        self.texts = texts
        self.found = [matched(self.words, text) for text in texts]
        self.paper = [*zip(texts, self.found, strict=True), (title, matched(self.words, title))]
        # The share of the content words that stands in each sentence; 0 for too few.
        held = [sum(bool(found.get(i)) for i in self.content) for found in self.found]
        self.shares = [count / len(self.content) if count >= _FEWEST else 0.0 for count in held]

    def taken(self, place: int) -> set[int]:
        """Where in a sentence words of the question stand."""
        return {j for i in self.content for j in self.found[place].get(i, ())}


def _checks(told: str) -> Iterator[tuple[_Check, float]]:
    """The checks that a sentence of a question calls for, by what it leaves open, and what of it must stand there."""
    who = _WHO.search(told)
    behind = told[who.end() :] if who else ""
    why = not who or who["word"].lower() == "why" or bool(_CAUSE.match(behind))
    how = who is not None and who["word"].lower() == "how"
    open_ = not why and bool(_EITHER_WAY.search(told))
    # "What code does Shannon build?" takes for granted that he builds one, "in which cases does it?" only some case.
    thing = (
        who is not None and who["word"].lower() in ("which", "what") and not who["part"] and bool(_ACTS.search(behind))
    )
    if why or ((how or thing) and not open_):
        yield _denied, _ON_IT
        yield _turned_down, _ON_IT
    if why or (how and not open_ and _COME_ABOUT.match(behind)):
        yield _direction, _ON_IT
    yield _sides, _ON_SIDES
    yield _pairing, _ON_IT


def _content(words: Words) -> list[int]:
    return [i for i in words.content if words.terms[i] not in _ASKING and words.terms[i] not in _NEGATIONS]


def _denied(asked: _Asked, place: int) -> bool:
    text, found = asked.texts[place], asked.found[place]
    own = [i for i, term in enumerate(asked.words.terms) if term in _NEGATIONS and term != "without"]
    told = [j for j, term in enumerate(text.terms) if term in _NEGATIONS]
    if own or _DENIES.search(asked.told):
        stated = [words for i in own if len(words := denied(asked.words, i)) > 1 and all(map(found.get, words))]
        supposed = _SUPPOSED.search(asked.told)
        return bool(stated) and not told and not (supposed and _DENIES.search(asked.told, supposed.end()))
    taken = asked.taken(place)
    for j in told:
        words = denied(text, j)
        held = [word for word in words if word in taken]
        if held and len(held) >= _DENIED * len(words) and not _said(asked, [text.terms[word] for word in words]):
            return True
    return False


def _said(asked: _Asked, words: Collection[str]) -> bool:
    """Whether a sentence of the paper has all of the words, and no negation."""
    return any(
        not _NEGATIONS & set(text.terms) and all(any(alike(word, term) for term in text.terms) for word in words)
        for text in asked.texts
    )


def _turned_down(asked: _Asked, place: int) -> bool:
    """Whether the question has B where the paper says "A rather than B"."""
    text, taken = asked.texts[place], asked.taken(place)
    if "rather" in asked.words.terms:
        return False
    for j, term in enumerate(text.terms):
        if term != "rather" or text.terms[j + 1 : j + 2] != ("than",):
            continue
        before, behind = beside(text, j)
        both = {text.terms[i] for i in before} & {text.terms[i] for i in behind}
        chosen, other = ([i for i in side if text.terms[i] not in both] for side in (before, behind))
        if other and set(other) <= taken and not set(chosen[-1:]) & taken:
            return True
    return False


def _direction(asked: _Asked, place: int) -> bool:
    text, found = asked.texts[place], asked.found[place]
    if _exchanged(asked, place):
        return False  # "A lower than B" is what "B higher than A" says.
    for i in asked.content:
        term = asked.words.terms[i]
        if _meant(term, text) or _borne_out(asked, i):
            continue
        around = _around(asked.words, i, _BESIDE)
        for j, other in enumerate(text.terms):
            near = set(_around(text, j, _AROUND))
            if opposed(term, other) and any(near & set(found.get(word, ())) for word in around):
                return True
    return False


def _borne_out(asked: _Asked, at: int) -> bool:
    """Whether the paper has a direction of the question beside the words that it stands beside there."""
    around = _around(asked.words, at, _AROUND)
    return any(
        set(_around(text, j, _BORNE_OUT)) & {place for word in around for place in found.get(word, ())}
        for text, found in asked.paper
        for j, other in enumerate(text.terms)
        if _same(asked.words.terms[at], other)
    )


def _meant(term: str, text: Words) -> bool:
    """Whether a sentence may mean a direction in another word; "more" may be of anything."""
    return any(alike(term, other) and (term == other or other not in _GENERAL) for other in text.terms)


def _same(term: str, other: str) -> bool:
    """Whether two directions are the same in word, not only in kind: "more" is not what rises, nor is what is long."""
    return term == other or (alike(term, other) and term[:_ROOT] == other[:_ROOT])


def _around(words: Words, at: int, count: int) -> list[int]:
    content = [i for i in _content(words) if i != at]
    return [*[i for i in content if i < at][-count:], *[i for i in content if i > at][:count]]


def _sides(asked: _Asked, place: int) -> bool:
    """Whether the paper has "B more than A" where the question has "A more than B"."""
    return _exchanged(asked, place) and not _turned_round(asked, place)


def _turned_round(asked: _Asked, place: int) -> bool:
    """Whether a sentence compares by the opposite of the word by which the question does."""
    compares = [
        words.terms[max(0, at - _SIDE - 2) : at]
        for words in (asked.words, asked.texts[place])
        for at, term in enumerate(words.terms)
        if term == "than"
    ]
    return any(opposed(one, other) for one in compares[0] for two in compares[1:] for other in two)


def _exchanged(asked: _Asked, place: int) -> bool:
    """Whether the sides of a comparison are exchanged."""
    said, text, found = asked.words.terms, asked.texts[place], asked.found[place]
    if "than" not in said or "than" not in text.terms:
        return False
    at = said.index("than")
    left, right = _apart([i for i in asked.content if i < at], [i for i in asked.content if i > at][:_SIDE], said)
    for j in (j for j, term in enumerate(text.terms) if term == "than"):
        before = [i for i in text.content if i < j][-_LONG_SIDE:]
        before, behind = _apart(before, [i for i in text.content if i > j][:_SIDE], text.terms)
        turned = _stand(right, before, found) and _stand(left, behind, found)
        if turned and not _stand(right, behind, found):
            return True
    return False


def _apart(left: Sequence[int], right: Sequence[int], words: Sequence[str]) -> tuple[list[int], list[int]]:
    """Both sides of a comparison without the words that stand on both."""
    both = {words[i] for i in left} & {words[i] for i in right}
    return [i for i in left if words[i] not in both], [i for i in right if words[i] not in both]


def _stand(words: Sequence[int], side: Sequence[int], found: Mapping[int, Sequence[int]]) -> int:
    return sum(bool(set(found.get(word, ())) & set(side)) for word in words)


def _pairing(asked: _Asked, place: int) -> bool:
    numbers = {term for term in asked.words.terms if term[0].isdigit()}
    # A number in words may count what is asked for: "the two reasons".
    if (
        not numbers
        or "rather" in asked.texts[place].terms
        or len(numbers) > _FEW_NUMBERS
        or any(number not in asked.told.replace(",", "") for number in numbers)
    ):
        return False
    if _exchanged(asked, place) and _turned_round(asked, place):
        return False  # The converse puts the numbers beside other words.
    even = dict.fromkeys(asked.words.terms, 1.0)
    return bool(pairing(asked.words, asked.texts[place], asked.found[place], even))
