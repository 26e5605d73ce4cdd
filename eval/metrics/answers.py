"""What one answer got right: its citations, its key facts, its support. Each is a share of 0..1, or None where the
question does not ask for it.

An answer without citations, a refusal and an error have cited no gold paper and hold no key fact: they count as 0.
"""

import re

from rouge_score.rouge_scorer import RougeScorer

from eval.records import Kind, Record, StatedClaim
from eval.trec import gold_key
from rag.records import Verdict
from rag.terms import content_terms, terms

_ROUGE = RougeScorer(["rougeL"], use_stemmer=True)
_NUMBERS = re.compile(r"\[\d+\]")


def cited_keys(record: Record) -> list[str]:
    """The papers that the answer cites, or lists for a listing question, each once, in order."""
    if record.reply is None:
        return []
    return list(dict.fromkeys([*record.reply.listed, *(citation.key for citation in record.reply.citations)]))


def _gold(record: Record) -> set[str]:
    return {gold_key(item.key, item.title) for item in record.gold}


def citation_scores(record: Record) -> dict[str, float]:
    """Precision, recall and F1 of the cited papers against the gold papers; empty without gold.

    Precision is gold papers cited over papers cited, recall gold papers cited over gold papers (as in ALCE, Gao et al.
    2023, but against given gold papers in place of an entailment model). All are 0 where nothing is cited.
    """
    gold = _gold(record)
    if not gold:
        return {}
    cited = set(cited_keys(record))
    right = len(cited & gold)
    precision = right / len(cited) if cited else 0.0
    recall = right / len(gold)
    return {
        "citation precision": precision,
        "citation recall": recall,
        "citation F1": 2 * precision * recall / (precision + recall) if right else 0.0,
        "any gold cited": float(right > 0),
    }


def citation_counts(record: Record) -> tuple[int, int, int]:
    """Gold papers cited, papers cited, gold papers: sums of them give the micro means."""
    gold = _gold(record)
    cited = set(cited_keys(record))
    return len(cited & gold), len(cited), len(gold)


def validity_counts(record: Record) -> tuple[int, int, int]:
    """Citations; those of sentences shown as evidence; those whose quote stands word for word in its paper."""
    if record.reply is None:
        return 0, 0, 0
    shown = {(item.key, item.sentence) for item in record.reply.evidence}
    citations = record.reply.citations
    valid = sum((citation.key, citation.sentence) in shown for citation in citations)
    return len(citations), valid, sum(citation.verbatim for citation in citations)


def nugget_recall(text: str, nuggets: tuple[tuple[str, ...], ...]) -> float | None:
    """Share of the key facts that stand in `text` in one of their wordings, without case; None without key facts.

    Nuggets as in Voorhees 2003, matched as substrings in place of by a judge: "60" is found in "1960" too.
    """
    if not nuggets:
        return None
    text = _plain(text)
    return sum(any(_plain(wording) in text for wording in nugget) for nugget in nuggets) / len(nuggets)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def answer_scores(record: Record) -> dict[str, float]:
    """Key facts in the answer alone and with the quotes of its citations; ROUGE-L (F1, stemmed; Lin 2004)."""
    scores: dict[str, float] = {}
    question = record.question
    text = answer_text(record)
    quotes = " ".join(citation.quote for citation in record.reply.citations) if record.reply else ""
    own = nugget_recall(text, question.nuggets)
    if own is not None:
        both = nugget_recall(f"{text} {quotes}", question.nuggets) or 0.0
        scores |= {"nuggets in answer": own, "nuggets with quotes": both, "all nuggets with quotes": float(both == 1.0)}
    if question.answer:
        scores["ROUGE-L"] = float(_ROUGE.score(question.answer, text)["rougeL"].fmeasure) if text else 0.0
    return scores


def answer_text(record: Record) -> str:
    """The answer without its citation numbers; empty for a refusal or an error."""
    return _NUMBERS.sub("", record.reply.text) if record.reply and not record.reply.refused else ""


def support_counts(record: Record) -> tuple[int, int, int]:
    """Sentences of the answer; those with lexical support; those that quote.

    A sentence has lexical support if all its content words (by stem) and numbers stand in the sentences that it cites.
    That is not entailment: it says that nothing was added, not that nothing was turned around.
    """
    if record.reply is None:
        return 0, 0, 0
    quotes = {citation.number: citation.quote for citation in record.reply.citations}
    claims = record.reply.claims
    return (
        len(claims),
        sum(_supported(claim, quotes) for claim in claims),
        sum(claim.verdict == Verdict.QUOTED for claim in claims),
    )


def _supported(claim: StatedClaim, quotes: dict[int, str]) -> bool:
    cited = {term for number in claim.citations for term in terms(quotes.get(number, ""))}
    return set(content_terms(claim.text)) <= cited


def listing_scores(record: Record) -> dict[str, float]:
    """For counting and listing questions: are exactly the gold papers cited, and does the count stand in the answer?"""
    if record.question.kind is not Kind.META:
        return {}
    exact = {gold.key for gold in record.gold} == set(cited_keys(record))
    scores = {"exact list": float(exact)}
    if record.question.count is not None:
        scores["count stated"] = float(str(record.question.count) in terms(answer_text(record)))
    return scores


def answered(record: Record) -> bool:
    """Whether the question was answered rather than refused."""
    return record.reply is not None and not record.reply.refused


def counterfactual_scores(record: Record) -> dict[str, float]:
    """What became of the answer when the papers it cited were hidden; empty where that was not asked.

    It should change: an answer that stays the same did not come from what it cites. (One that quotes always does: other
    papers have other sentences.) And where the facts asked for
    stand in no other paper, it should be a refusal; "keeps the facts" is 1 if all key facts are stated all the same.
    """
    again = record.counterfactual
    if again is None or record.reply is None:
        return {}
    scores = {
        "changed without cited": float(again.refused or _NUMBERS.sub("", again.text) != answer_text(record)),
        "refused without cited": float(again.refused),
    }
    kept = nugget_recall("" if again.refused else _NUMBERS.sub("", again.text), record.question.nuggets)
    return scores if kept is None else {**scores, "keeps facts without cited": float(kept == 1.0)}


def right(record: Record) -> bool:
    """Whether what was done was right: a refusal where nothing answers, else an answer that cites a gold paper."""
    if record.question.kind is Kind.NONE:
        return not answered(record) and not record.error
    return citation_scores(record).get("any gold cited", 0.0) > 0
