"""Answers as plain data for JSON. Pure; the field names are a public interface."""

from typing import Any

from rag.filters import scope_words
from rag.identity import link_of
from rag.records import Answer, CatalogPaper, Citation, Filter, Hit, Scope

_SENTENCES_A_HIT = 3


def answer_to_dict(answer: Answer) -> dict[str, Any]:
    """Everything about an answer: text, claims, citations with offsets, hits with scores, timings in seconds."""
    return {
        "question": answer.question,
        "query": answer.query,
        "followed": answer.followed,
        "filter": None if answer.scope is None else _scope(answer.scope),
        "answer": answer.text,
        "refused": answer.refused,
        "stopped": answer.stopped,
        "confidence": round(answer.confidence, 4),
        "confidence_needed": round(answer.needed, 4),
        "unmet_words": list(answer.unmet),
        "unknown_names": list(answer.unknown),
        "said_otherwise": answer.otherwise and answer.otherwise.text,
        "missing_sides": list(answer.missing),
        "claims": [
            {
                "text": claim.text,
                "citations": [citation.number for citation in claim.citations],
                "verdict": claim.verdict.value,
                "score": round(claim.score, 4),
                "written": claim.written,
            }
            for claim in answer.claims
        ],
        "citations": [_citation(citation) for citation in answer.citations],
        "listed": None if answer.listed is None else [_listed(entry) for entry in answer.listed],
        "dropped_sentences": answer.dropped,
        "passed_over_sentences": answer.passed_over,
        "from_record": answer.recorded,
        "small_talk": answer.talk,
        "hits": [_hit(hit) for hit in answer.hits],
        "evidence": [
            {"number": e.number, "paper": e.key, "sentence": e.sentence.index, "text": e.sentence.text}
            for e in answer.evidence
        ],
        "writing": answer.writing,
        "sampling": None
        if answer.sampling is None
        else {"temperature": answer.sampling.temperature, "seed": answer.sampling.seed},
        "written": answer.raw,
        "usage": {"prompt_tokens": answer.prompt_tokens, "generated_tokens": answer.generated_tokens},
        "timings": {name: round(seconds, 4) for name, seconds in answer.timings.items()},
    }


def _scope(scope: Scope) -> dict[str, Any]:
    return {
        "words": scope_words(scope),
        **_filter(scope.filter),
        "papers": scope.papers,
        "of": scope.total,
        "papers_lacking_a_field": scope.lacking,
    }


def _filter(chosen: Filter) -> dict[str, Any]:
    return {
        "years": [list(bounds) for bounds in chosen.years],
        "authors": list(chosen.authors),
        "venues": list(chosen.venues),
        "categories": list(chosen.categories),
        "sources": list(chosen.sources),
        "ids": list(chosen.ids),
        "also": [_filter(one) for one in chosen.also],
    }


def _listed(entry: CatalogPaper) -> dict[str, Any]:
    paper = entry.paper
    return {
        "paper": entry.key,
        "title": paper.title,
        "authors": list(paper.authors),
        "year": paper.year,
        "venue": paper.venue,
        "categories": list(paper.categories),
        "link": link_of(paper),
    }


def _citation(citation: Citation) -> dict[str, Any]:
    return {
        "number": citation.number,
        "paper": citation.key,
        "title": citation.title,
        "link": citation.link,
        "sentence": citation.sentence,
        "start": citation.start,
        "end": citation.end,
        "quote": citation.quote,
    }


def _hit(hit: Hit) -> dict[str, Any]:
    return {
        "paper": hit.key,
        "title": hit.title,
        "byline": hit.byline,
        "link": hit.link,
        "score": round(hit.score, 4),
        "parts": {name: round(value, 4) for name, value in hit.parts.items()},
        "sentences": [
            {"sentence": s.sentence.index, "score": round(s.score, 4), "text": s.sentence.text}
            for s in hit.sentences[:_SENTENCES_A_HIT]
        ],
    }
