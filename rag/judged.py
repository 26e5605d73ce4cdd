"""Is what a search found enough to answer a question, and what is told with the answer? The judgement in one record.

What is in doubt is told in words: names and words that nothing was found on, what a paper says otherwise. Searches for
nothing itself.
"""

from dataclasses import dataclass, replace

from rag.both_sides import Side
from rag.breadth import asks_to_compare
from rag.followup import Resolved
from rag.narrowing import Asked
from rag.orders import without_orders
from rag.records import Library, Retrieval, Sentence
from rag.refusal import Judge
from rag.spoken import Spoken, spoken
from rag.terms import normalise
from rag.unknown_names import unknown_names

# Similarity (cosine) from which a question of a word or two may be about the papers that it names (eval/LOG.md).
_NEAR_TO_NAMED = 0.18


@dataclass(frozen=True, slots=True)
class Finding:
    """What was searched for and found, and whether that is enough to answer.

    `asked` is the question, of the papers by whom it names where these answer it. `several` tells that it asks for
    several papers, and `every` that all related ones count. `sides` are those of a comparison that are answered each
    by itself. `unmet`, `unknown`, `otherwise`, `missing` and `passed_over` are as in an Answer.
    """

    asked: Asked
    resolved: Resolved
    several: bool
    every: bool
    confidence: float
    unmet: tuple[str, ...]
    unknown: tuple[str, ...]
    otherwise: Sentence | None
    passed_over: int
    answerable: bool
    sides: tuple[Side, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def query(self) -> str:
        """What was searched for."""
        return self.resolved.query

    @property
    def found(self) -> Retrieval:
        """What the search found."""
        return self.resolved.found

    @property
    def followed(self) -> bool:
        """Whether the question was taken to lean on the one before."""
        return self.query != self.asked.question or self.of_listed

    @property
    def of_listed(self) -> bool:
        """Whether it was asked of papers that were listed before."""
        return bool(self.asked.scope and self.asked.scope.listed_for)

    def after(self, subject: str) -> str:
        """What the next question may lean on, where this one could lean on `subject`."""
        if self.followed:
            # Papers that were listed stay what "they" are, as long as one question leans on another.
            return str(Spoken(self.resolved.subject, spoken(subject).papers))
        # With the filters typed in it the question gives other papers than without.
        typed = self.asked.typed if self.asked.typed != self.asked.question else ""
        return str(Spoken(self.resolved.subject, typed))


class Judging:
    """Judges what was found in one index; `few` papers that a filter leaves may be compared whatever their scores."""

    def __init__(self, judge: Judge, library: Library, few: int) -> None:
        self._judge = judge
        self._library = library
        self._few = few

    def judged(self, asked: Asked, resolved: Resolved, *, several: bool) -> Finding:
        """What `resolved` found for `asked`, and whether it answers."""
        found, passed_over = without_orders(resolved.query, resolved.found)
        found = self._judge.reader.pointed(resolved.query, found)
        joined = resolved.joined and (resolved.joined[0], without_orders(*resolved.joined)[0])
        resolved = replace(resolved, found=found, joined=joined)
        confidence = self._judge.confidence_of(resolved)
        near_enough = self._judge.is_near(resolved.query, found)
        every = several and asked.scope is not None and asked.scope.papers <= self._few
        pointed = asked.only_points or (asked.hardly_asks and found.similarity >= _NEAR_TO_NAMED)
        pointed = pointed or (every and asks_to_compare(asked.question))
        # "What did Devlin show?" is about no matter that could be missed.
        tells = not asked.only_points
        unknown = self.unknown(resolved) if tells else ()
        confidence = self._judge.without_names(confidence, found, unknown)
        confidence, missed = self._judge.as_follow_up(asked.question, resolved, confidence)
        # Of several papers each may say something else.
        otherwise = None if several else self._judge.otherwise(asked.question, found)
        if otherwise:
            confidence = self._judge.said_otherwise(confidence)
        likely = near_enough and confidence >= self._judge.threshold
        return Finding(
            asked,
            resolved,
            several,
            every,
            confidence,
            unmet=tuple(dict.fromkeys([*self._judge.unmet(found), *missed])) if tells else (),
            unknown=unknown,
            otherwise=otherwise,
            passed_over=passed_over,
            answerable=bool(found.hits) and (pointed or likely),
        )

    def unknown(self, resolved: Resolved) -> tuple[str, ...]:
        """Names in a question that stand nowhere, but for those of authors and journals of the papers found."""
        names = unknown_names(resolved.query, resolved.found)
        if not names:
            return ()
        entries = self._library.search_titles(within=[hit.paper_id for hit in resolved.found.hits])
        known = normalise(" ".join(" ".join([*entry.paper.authors, entry.paper.venue]) for entry in entries))
        return tuple(name for name in names if normalise(name) not in known)
