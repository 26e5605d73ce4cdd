"""Questions for what no record holds: citation counts, prizes, ranks, full texts, figures, references, reviews. Pure.

Searched for, they are answered with what some abstract says of citations in general. Only whole questions of a closed
list are understood, in English, and only where they speak of papers: "How are citations counted?", "What is the
h-index?" and "Which method is the best?" are for the search.
"""

import re

_LONGEST = 200  # characters of such a question
_ONE = r"(?:paper|article|study|publication|preprint|work)"
_MANY = r"(?:papers|articles|studies|publications|preprints|works)"
_ANY = rf"(?:{_ONE}|{_MANY})"
_WHOSE = r"(?:the|this|that|these|those|your|my|our)"
_SHELF = r"(?:collection|index|library|catalog|catalogue|database)"
_HERE = (
    rf"(?: here| you have| (?:in|of|among|from) (?:all )?(?:(?:of )?{_WHOSE} )?(?:{_MANY}|{_SHELF}|them|these|those))?"
)
# "The average paper" and "the typical study" are matters of research.
_PLAIN = r"(?:(?!(?:average|typical|median|mean|usual|same|retracted|published|single|next|other)\b)\w+ )"
_TAIL = r"(?: (?:on|about|by|of|from|called|titled|entitled|named|that introduced|introducing|with the title) .{1,80})"
_WORK = rf"{_WHOSE} {_PLAIN}{{0,6}}?{_ANY}{_TAIL}?"
_IT = rf"(?:it|this|that|they|them|these|those|{_WORK})"
_WHICH = rf"(?:which|what) (?:(?:one )?of (?:all )?(?:{_WHOSE} )?)?{_ANY}{_HERE}"
_BE = r"(?:is|are|was|were)"
_ASK = (
    r"(?:(?:can|could|would|will) you |(?:can|could|may) i |i (?:want|need|would like)(?: to)? |do you have |"
    r"(?:where|how) (?:can|could|do) i |is there |are there |please )*"
    r"(?:(?:give|show|send|get|see|read|open|download|fetch|find|display|access|have|list)(?: me)? )?(?:please )?"
)
_OF_IT = rf"(?: (?:of|for|from|in|to) {_IT})"
_NUMBER = r"(?:(?:citation|cite) (?:count|counts|number|numbers)|number of (?:citations|cites))"
_RANK = (
    r"(?:very )?(?:best|worst|greatest|top|"
    r"most (?:important|influential|impactful|significant|famous|popular|relevant|interesting|reliable|trustworthy))"
)
_WORTH = r"(?:good|important|influential|famous|reliable|trustworthy|significant)"
_PRIZE = r"(?:prizes?|awards?|medals?)"
_WON = r"(?:won|win|received|receive|got|get|earned|earn|awarded|was awarded|were awarded)"
_FULL = rf"(?:full|whole|complete|entire) (?:texts?|{_ANY}|versions?|pdfs?|manuscripts?)"
_TEXT = rf"(?:{_FULL}|pdfs?|pdf (?:files?|versions?|links?))"
_FIGURES = r"(?:figures?|tables?|plots?|charts?|diagrams?|supplementary (?:material|materials|information|data))"
_PICTURES = rf"(?:{_FIGURES}|images?|pictures?|supplement|appendix|appendices)"
_LIST = r"(?:references|reference list|list of references|bibliography|cited literature)"
_FORMS = {
    "citations": (
        (
            rf"{_WHICH} (?:has|have|had|got|gets|received|receives) (?:the )?(?:most|highest|fewest|largest|greatest)"
            rf"(?: number of| amount of)? (?:citations?|cites|citation counts?){_HERE}"
        ),
        rf"{_WHICH} {_BE} (?:the )?(?:most|least|highly|best)(?: often| frequently| highly)? cited(?: ones?)?{_HERE}",
        rf"{_WHICH} (?:{_BE}|has been|have been) cited (?:the )?most(?: often)?",
        (
            rf"(?:(?:what|which) {_BE} |{_ASK})(?:the |your )?(?:most|least|highest|highly)"
            rf"(?: often| highly| frequently)? cited {_ANY}{_HERE}(?: (?:on|about) .{{1,80}})?"
        ),
        rf"how (?:often|many times|much|frequently|widely) (?:{_BE}|has|have) {_IT} (?:been )?cited(?: so far)?",
        (
            rf"how many (?:citations|cites) (?:does|do|did|has|have|had) {_IT}"
            r"(?: have| had| got| get| received| receive)?(?: so far| now)?"
        ),
        rf"{_ASK}(?:what {_BE} |tell me )?(?:the |its |their )?{_NUMBER}{_OF_IT}",
        rf"{_ASK}(?:what {_BE} )?(?:its|their) (?:{_NUMBER}|citations)",
        rf"(?:{_BE}|has|have) {_IT} (?:been )?(?:often |much |widely |highly |well )?cited(?: a lot| often| much)?",
        rf"(?:who|which {_MANY}|what {_MANY}) (?:cites?|cited|have cited|has cited|are citing) {_IT}",
        rf"{_ASK}(?:sort|rank|order) (?:all )?(?:of )?(?:{_WHOSE} )?{_MANY} by (?:(?:number of )?citations|{_NUMBER})",
    ),
    "impact factor": (
        rf"(?:what {_BE} |{_ASK})the (?:journal )?impact factor (?:of|for) (?!an? |.* on )(?:\w+ ){{0,7}}\w+",
        rf"(?:what {_BE} |{_ASK})its (?:journal )?impact factor",
    ),
    "prizes": (
        rf"{_WHICH} (?:has |have )?(?:been )?{_WON} (?:an? |the |any )?(?:\w+ ){{0,3}}?{_PRIZE}",
        (
            rf"(?:did|has|have) (?:{_IT}|(?:its|their|the) authors?) (?:ever )?{_WON} (?:an? |the |any )?"
            rf"(?:\w+ ){{0,3}}?{_PRIZE}(?: for (?:it|this|that))?"
        ),
        rf"{_WHICH} (?:{_BE}|has|have) (?:an? )?(?:prize|award) ?winning(?: ones?)?",
    ),
    "ranks": (
        rf"{_WHICH} {_BE} (?:the )?{_RANK}(?: ones?| {_ANY})?{_HERE}(?: and why)?",
        rf"(?:(?:what|which) {_BE} |{_ASK})(?:the |your )?{_RANK} {_ANY}{_HERE}(?: and why)?",
        rf"how {_WORTH} {_BE} (?:this|that|these|those) {_ANY}",
        rf"{_BE} (?:this|that|these|those) {_ANY} (?:any )?(?:{_WORTH}|right|correct|true)",
        (
            rf"{_ASK}(?:sort|rank|order) (?:all )?(?:of )?(?:{_WHOSE} )?{_MANY} by "
            r"(?:importance|quality|impact|influence|popularity|significance)"
        ),
    ),
    "texts": (
        rf"{_ASK}(?:an? |the |its |their |all )*{_TEXT}{_OF_IT}?(?: please)?",
        rf"{_ASK}(?:an? |the |its |their |all )*{_FULL} (?:of|for) .{{1,100}}",
        # A PDF may be a probability density.
        rf"{_ASK}(?:an? |the |its |their |all )*{_TEXT} (?:of|for) .{{0,80}}\b{_ANY}\b.{{0,60}}",
        rf"{_ASK}(?:the )?(?:link|links) to (?:the |its )?{_TEXT}{_OF_IT}?",
        rf"{_BE} (?:the |its )?{_TEXT}{_OF_IT}? (?:available|here|free|online)",
    ),
    "figures": (
        (
            rf"{_ASK}(?:what {_BE} )?(?:all )?(?:the |its |their )?(?:{_FIGURES}(?: \d{{1,2}})?{_OF_IT}|"
            rf"{_PICTURES} (?:of|from|in) {_WORK})(?: please)?"
        ),
        rf"{_ASK}(?:the |its |their )(?:figures|tables|plots)(?: please)?",
        rf"{_ASK}(?:figure|fig|table) \d{{1,2}}(?: please)?",
        rf"what (?:does|do|is in|is on|is shown in) (?:the )?(?:figure|fig|table) \d{{1,2}}{_OF_IT}?(?: show| say)?",
    ),
    "references": (
        rf"(?:(?:what|which) {_BE} |{_ASK})(?:the |all )*{_LIST}{_OF_IT}(?: please)?",
        rf"(?:(?:what|which) {_BE} |{_ASK})(?:its|their) {_LIST}",
        rf"(?:which|what) (?:{_MANY} )?(?:does|do|did|is|are) {_IT} (?:cite|citing)",
        rf"how many references (?:does|do|did|has|have) {_IT}(?: have| cite)?",
    ),
    "reviews": (
        rf"(?:{_BE}|has|have) {_IT} (?:been )?(?:peer ?reviewed|refereed|retracted)(?: or not)?",
        rf"{_ASK}(?:the )?(?:peer reviews?|referee reports?){_OF_IT}",
        rf"{_ASK}its (?:peer reviews?|referee reports?)",
        rf"{_WHICH} (?:{_BE}|has|have) (?:been )?(?:peer ?reviewed|refereed|retracted)",
    ),
}
_COMPILED = {kind: re.compile("|".join(f"(?:{form})" for form in forms)) for kind, forms in _FORMS.items()}
_LACKING = {
    "citations": "how often a paper was cited, or by whom",
    "impact factor": "the impact factor of a journal",
    "prizes": "which prizes a paper or its authors won",
    "ranks": "how good, important or reliable a paper is, and Citable does not judge it",
    "texts": "the full text or the PDF of a paper",
    "figures": "figures, tables or supplements of a paper",
    "references": "the references of a paper",
    "reviews": "whether a paper was peer-reviewed or retracted, or what its reviewers said",
}
_HELD = (
    "They hold the title and the abstract of each paper and, where your files had them, its authors, year, journal or "
    "conference, and identifiers."
)
_INSTEAD = {
    "texts": "The title of a paper below an answer links to where it is published, if its record tells a DOI or the "
    "like. The abstract you get by \u201cGive me the abstract of ...\u201d.",
    "references": "Who wrote a paper, when, where it appeared and its DOI can be asked for, and its abstract.",
}
_INSTEAD["figures"] = _INSTEAD["reviews"] = _INSTEAD["texts"]
_OTHERWISE = (
    "Ask what the papers say on a matter, or list them by author, journal or year. Where an abstract itself speaks of "
    "that, ask for it by what it is about."
)


def parse_not_held(question: str) -> str | None:
    """Which of the things that no record holds `question` asks for; None if it asks for something else."""
    if len(question) > _LONGEST:
        return None
    said = re.sub(r"(?<=what)['\u2019]?s\b", " is", question.casefold())
    said = " ".join(re.sub(r"[^\w]+", " ", said).split())
    said = re.sub(r"^(?:(?:and|but|so|then|also|hello|hi|please) )+", "", said)
    return next((kind for kind, form in _COMPILED.items() if form.fullmatch(said)), None)


def not_held_answer(kind: str) -> str:
    """What the records lack and hold, and what can be asked instead."""
    return f"The records do not hold {_LACKING[kind]}. {_HELD}\n\n{_INSTEAD.get(kind, _OTHERWISE)}"
