"""The claims about the bundled sample, written by us, with the sentences that they cite."""

import hashlib
import json
from dataclasses import dataclass, replace
from importlib.resources import files

from rag.bundled_sample import sample_path
from rag.digests import sha256_of
from rag.sentences import split_sentences

CLAIMS = "claims.jsonl"


@dataclass(frozen=True, slots=True)
class Study:
    """A paper of the sample: its sentences, and the half that it belongs to (0 to fit, 1 to test)."""

    title: str
    sentences: tuple[str, ...]
    half: int


@dataclass(frozen=True, slots=True)
class Case:
    """A claim beside what it cites. `study` is the place of its paper; `by` tells who wrote it, `hand` or `rule`."""

    study: int
    half: int
    claim: str
    evidence: tuple[str, ...]
    true: bool
    kind: str
    by: str = "hand"

    def false(self, kind: str, claim: str, evidence: tuple[str, ...] = ()) -> "Case":
        """A false claim made of this one."""
        return replace(self, claim=claim, evidence=evidence or self.evidence, true=False, kind=kind, by="rule")

    def cited_to(self, kind: str, evidence: tuple[str, ...]) -> "Case":
        """The same claim beside sentences that do not carry it."""
        return self.false(kind, self.claim, evidence)


def load_studies() -> list[Study]:
    """The papers of the sample; every second one is for testing."""
    records = [json.loads(line) for line in sample_path().read_text(encoding="utf-8").splitlines()]
    return [
        Study(
            record["title"],
            tuple(record["abstract"][start:end] for start, end in split_sentences(record["abstract"])),
            place % 2,
        )
        for place, record in enumerate(records)
    ]


def load_claims(studies: list[Study]) -> list[Case]:
    """The claims written by hand, true and false."""
    places = {study.title: place for place, study in enumerate(studies)}
    cases = []
    for line in (files("eval.verification") / CLAIMS).read_text(encoding="utf-8").splitlines():
        claim = json.loads(line)
        place = places[claim["paper"]]
        study = studies[place]
        cited = tuple(study.sentences[i] for i in claim["cited"])
        cases.append(Case(place, study.half, claim["claim"], cited, claim["true"], claim["kind"]))
    return cases


def digest() -> str:
    """Of claims and papers: SHA-256 of both files' digests together, in short."""
    parts = [(files("eval.verification") / CLAIMS).read_bytes(), sha256_of(sample_path()).encode()]
    return hashlib.sha256(b"\n".join(parts)).hexdigest()[:16]
