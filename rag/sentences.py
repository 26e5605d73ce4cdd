"""Abstract -> addressed sentences. Pure; knows nothing of papers, models or files.

Offsets are character positions in the text as given, so `text[start:end]` is the sentence byte for byte.
A wrong split costs a clumsy quotation, a missed one costs a long quotation; neither loses text: together the
spans cover every character that is not white space.
"""

import re
from itertools import pairwise

# Words after which a full stop seldom ends a sentence. Lower case, without the final stop.
_ABBREVIATIONS = frozenset(
    """e.g i.e cf vs viz resp approx ca al fig figs eq eqs eqn ref refs sec sect tab no nos vol pp ed eds dr prof mr
    mrs ms st inc ltd dept univ w.r.t i.i.d a.k.a u.s u.k n.b var subsp spp sp jr sr ser wt max min avg std
    temp""".split()  # noqa: SIM905
)
# These end a sentence when what follows starts like one ("... Smith et al. We show ...").
_SOMETIMES = frozenset("al inc ltd jr sr u.s u.k no sec sp var max min avg std temp".split())  # noqa: SIM905

# A terminator, closing quotes or brackets, white space, then the start of what may be a new sentence.
_BOUNDARY = re.compile(
    r"""(?P<stop>[.!?…]+|[。！？])(?P<close>["'”’»)\]}]*)(?P<gap>\s+|(?<=[。！？])|(?=[A-Z][a-z]+\s))"""
)
_STARTER = re.compile(r"""["'“‘«(\[{$\\*]*[\w$\\α-ωΑ-Ω∼~<>≥≤±+\-–—]""")
# What says nothing alone: the headings of structured abstracts, and "2) Scalability.".
_LABEL = re.compile(
    r"(?:(?:Main )?(?:Background|Context|Introduction|Aims?|Objectives?|Purpose|Hypothesis|Motivation|Design|Setting|"
    r"Participants|Patients|Subjects|Materials?|Methods?|Methodology|Measurements|Interventions?|Outcomes?|Results?|"
    r"Findings|Interpretation|Discussion|Conclusions?|Significance|Limitations|Relevance|Registration|Funding)"
    r"(?: and [\w-]+)?"
    r"|\(?(?:\d{1,2}|[ivx]{1,4}|[a-h])\)(?:\s+[\w-]+){1,4}|\(?\d{1,2}\)?)[.:!]"
)
_COMMON_OPENING = re.compile(
    r"(?:We|Our|The|This|These|Those|In|It|A|An|To|For|However|Here|Moreover|Furthermore|They|Its|As|By|On|With|"
    r"From|Results?|Finally|While|Although|Such|Each|Both|Using|Based|Experiments?|Code|Data|Methods?|Conclusions?|"
    r"Background|And|But|Also|Thus|Therefore|Additionally|Specifically)\b"
)


_LOOK_BACK = 300


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Spans `(start, end)` of the sentences of `text`, in order, white space around them left out.

    A line break with a blank line ends a sentence whatever stands before it; a single one does not.
    """
    spans: list[tuple[int, int]] = []
    gaps = [gap.span() for gap in re.finditer(r"\n\s*\n", text)]
    for (_, start), (end, _) in pairwise([(0, 0), *gaps, (len(text), 0)]):
        for match in _BOUNDARY.finditer(text, start, end):
            if _ends_sentence(text, start, match):
                _append(spans, text, start, match.end("close"))
                start = match.end()
        _append(spans, text, start, end)
    return spans


def _append(spans: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start == end:
        return
    if spans and not any(char.isalnum() for char in text[start:end]):
        # A scrap without a letter or digit (a stray bracket, an ellipsis) belongs to the sentence before it.
        spans[-1] = (spans[-1][0], end)
    elif spans and _LABEL.fullmatch(text, *spans[-1]) and "\n" not in text[spans[-1][1] : start]:
        spans[-1] = (spans[-1][0], end)
    else:
        spans.append((start, end))


def _ends_sentence(text: str, start: int, match: re.Match[str]) -> bool:
    if match.end() >= len(text):
        return True
    following = text[match.end() : match.end() + _LOOK_BACK]
    if match["stop"][0] in "。！？":
        return True
    glued = match["gap"] == ""
    if glued and not _COMMON_OPENING.match(following):
        return False
    if not glued and not _STARTER.match(following):
        return False
    # Nothing that decides stands farther back; a bound keeps odd text from costing the square of its length.
    start = max(start, match.start() - _LOOK_BACK)
    if _inside_bracket(text[start : match.start()], match["close"]):
        return False
    if match["stop"] != ".":
        # "?" and "!" and "..." go on in lower case: "why not? asks the author".
        return not following.lstrip("\"'“‘«([{")[:1].islower()
    before = re.search(r"[^\s(\[{\"'“‘,;:/]*$", text[start : match.start()])
    word = (before.group() if before else "").lower()
    if word in _ABBREVIATIONS:
        return word in _SOMETIMES and bool(_COMMON_OPENING.match(following))
    if re.fullmatch(r"[A-Z]", before.group() if before else "") and not match["close"]:
        # An initial ("J. Smith", "S. aureus"), unless a usual opening follows ("vitamin C. We").
        return bool(_COMMON_OPENING.match(following))
    # Lower case goes on, save names that are written so ("... in 2020. mRNA vaccines").
    return not re.match(r"[a-z]+\b(?![A-Z])", following) or bool(re.match(r"[a-z]{1,2}[A-Z]", following))


def _inside_bracket(sentence: str, close: str) -> bool:
    """Whether a stop stands inside a bracket that is still open after it, opened in this sentence."""
    depth = 0
    for char in sentence + close:
        if char in "([":
            depth += 1
        elif char in ")]":
            depth = max(0, depth - 1)
    return depth > 0 and len(sentence) - max(sentence.rfind("("), sentence.rfind("[")) < 200
