"""A comparison of two things that different papers are about -> what is found on each, or which is in no paper.

Each side is searched for by itself. Where one paper is about both, the question as a whole finds it, and this finds
nothing. Knows of no index: it asks through what it is given.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import replace

from rag.both_sides import Side, is_written_as_name, paper_on, speaks_of_both
from rag.breadth import matter_of
from rag.judged import Finding
from rag.sides import is_named, sides_of, without_version
from rag.terms import content_terms

_NOWHERE = 0.9999  # rarity of a word that the collection lacks, but for rounding


def side_by_side(question: str, subject: str, threshold: float, find: Callable[[str], Finding]) -> Finding | None:
    """What answers `question`, where it compares two things that different papers are about, or one is in no paper.

    None for any other question. `find` searches for words and judges what it finds; `subject` is what the question may
    lean on.
    """
    compared = sides_of(question)
    if not compared:
        return None
    named = {side: is_named(side, question) for side in compared.sides}
    if subject and not all(named.values()):
        return None  # "Compare accuracy and speed" may lean on what was spoken of.
    whole = find(matter_of(question))
    alone = {side: find(f"{side} {compared.matter}".strip()) for side in named}
    sides = {side: paper_on(side, one.query, one.found.hits, named=named[side]) for side, one in alone.items()}
    missing = tuple(side for side in sides if not sides[side] and _is_nowhere(side, named[side], alone[side]))
    told = tuple(side for side in sides.values() if side)
    if len(told) + len(missing) < len(sides) or not any(side.own for side in told) or whole.otherwise:
        return None
    if not missing and _is_of_one_paper(told, whole):
        return None
    likely = min(alone[side].confidence for side in sides if side not in missing)
    likely = max(likely, whole.confidence) if not missing else likely
    if compared.matter and likely < threshold:
        return None
    hits = {hit.paper_id: hit for hit in (*(side.hit for side in told), *whole.found.hits)}
    order = dict(whole.found.ranking)
    first = {side.hit.paper_id: max(order.values(), default=1.0) for side in told}
    ranking = tuple({**first, **{i: score for i, score in order.items() if i not in first}}.items())
    found = replace(whole.found, hits=tuple(hits.values()), ranking=ranking)
    return replace(
        whole,
        resolved=replace(whole.resolved, query=question, subject=question, found=found),
        # That a paper is about a side is told by its words.
        confidence=max(likely, threshold),
        unmet=tuple(word for word in whole.unmet if word in compared.matter.split()),
        unknown=tuple(word for word in whole.unknown if not any(word in side for side in sides)),
        answerable=True,
        sides=told,
        missing=missing,
    )


def _is_of_one_paper(sides: Collection[Side], whole: Finding) -> bool:
    """Whether one paper is about all `sides`, or has them all as no more than words that others use too."""
    if len({side.hit.paper_id for side in sides}) < len(sides):
        return True
    best = whole.found.hits[:1]
    return any(speaks_of_both(hit, [*sides]) for hit in best) and not all(
        side.own and is_written_as_name(side) for side in sides
    )


def _is_nowhere(side: str, named: bool, alone: Finding) -> bool:
    """Whether no paper has a side: its name stands nowhere, or a word of it that does so is near to nothing."""
    if set(content_terms(side)) <= set(content_terms(" ".join(hit.byline for hit in alone.found.hits))):
        return False  # an author
    words = set(re.findall(r"[^\W_]+", side))
    if named and (words & set(alone.unknown) or without_version(side) != side):
        return True
    rare = words & {word.text for word in alone.found.words if word.rarity >= _NOWHERE}
    return bool(rare) and ((len(words) == 1 and not alone.answerable) or bool(rare & set(alone.unmet)))
