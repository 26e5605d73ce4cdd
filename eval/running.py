"""Suite + configuration -> a run folder with one record a question. A run that stops at any point is gone on with."""

import re
import resource
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from random import Random

from filelock import FileLock, Timeout

from eval.indexes import index_corpus, plain_name
from eval.manifest import binding, fingerprint, make_manifest
from eval.records import (
    CitedSentence,
    Counterfactual,
    Gold,
    Question,
    Ranked,
    Record,
    Reply,
    ShownPaper,
    ShownSentence,
    StatedClaim,
    Suite,
)
from eval.storage import MANIFEST, RecordsFile, differences, read_manifest, read_records, write_json, write_trec
from rag.build import Engine, SearchEngine
from rag.citations import split_written
from rag.clock import Clock
from rag.config import Config
from rag.errors import CitableError, IndexBusyError, UsageError
from rag.grammar import REFUSAL
from rag.identity import normalise_title
from rag.judged import Finding
from rag.narrowing import narrow
from rag.records import Answer, CatalogPaper, Hit

DEPTH = 100
Progress = Callable[[int, int], None]
Tell = Callable[[str], None]


def _no_progress(_done: int, _total: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Run:
    """A finished run: its folder and its records, in the order of the questions."""

    folder: Path
    records: tuple[Record, ...]


def run_suite(
    suite: Suite,
    config: Config,
    out: Path | None = None,
    *,
    limit: int | None = None,
    seed: int = 0,
    retrieval_only: bool = False,
    counterfactual: float = 0.0,
    indexing: Progress = _no_progress,
    progress: Progress = _no_progress,
    tell: Tell = lambda _: None,
) -> Run:
    """Ask the questions of `suite` and write what happens to the folder `out`.

    Without `out`, the folder lies under `eval/runs` in the data folder, named after the suite and a digest of all that
    the answers depend on: the same call again finds it. Questions that a folder holds answers to are not asked again.
    `limit` draws that many questions at random by `seed`. `counterfactual` is the share of the questions that are asked
    a second time, with the papers that their answer cited left out; which ones follows from `seed`. `indexing` and
    `progress` are called as `(done, total)`, `tell` with what the user should know.

    Raises UsageError where `out` holds another run, or a search alone would need a language model, IndexBusyError where
    another process works on `out`, and what opening the index and the models raises.
    """
    if retrieval_only and config.rerank_papers and not config.reranker:
        raise UsageError(
            "rerank_papers needs the language model: leave out --retrieval-only, set it to 0, or set reranker to a "
            "cross-encoder."
        )
    questions = choose(suite.questions, limit, seed)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)  # What cannot be written should be told before hours of work.
    if suite.corpus is not None:
        config, skipped = index_corpus(config, suite.corpus, indexing)
        if skipped:
            tell(f"{skipped} records of the papers of {suite.name} could not be read as papers and are left out")
    mode = {"retrieval_only": retrieval_only, "counterfactual": counterfactual}
    with (SearchEngine if retrieval_only else Engine)(config) as engine:
        config = engine.config  # with the embedding model that `auto` stands for
        manifest = make_manifest(suite, questions, config, engine, seed=seed, limit=limit, mode=mode)
        folder = out or config.home.expanduser() / "eval" / "runs" / f"{plain_name(suite.name)}-{fingerprint(manifest)}"
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(folder / "run.lock", timeout=0):
                _begin(folder, manifest)
                asker = _Asker(engine, config, seed, counterfactual)
                _tell_missing(questions, asker, tell)
                records = _ask_all(folder, questions, asker, progress, tell)
                write_trec(folder, records, tag=f"citable-{fingerprint(manifest)}")
        except Timeout:
            raise IndexBusyError(f"another process works on {folder}. Wait until it is done, or stop it.") from None
    return Run(folder, tuple(records))


def choose(questions: Sequence[Question], limit: int | None, seed: int) -> list[Question]:
    """All questions, or `limit` of them drawn at random, in their order. Raises UsageError for a limit below 1."""
    if limit is None or limit >= len(questions):
        return list(questions)
    if limit < 1:
        raise UsageError(f"--limit {limit}: must be at least 1.")
    chosen = set(Random(seed).sample(range(len(questions)), limit))  # noqa: S311
    return [question for index, question in enumerate(questions) if index in chosen]


def _begin(folder: Path, manifest: Mapping[str, object]) -> None:
    if not (folder / MANIFEST).is_file():
        if (folder / "records.jsonl").exists():
            raise UsageError(f"{folder} holds records without a manifest. Give another --out.")
        write_json(folder / MANIFEST, manifest)
        return
    if changed := differences(binding(read_manifest(folder)), binding(manifest)):
        raise UsageError(
            f"{folder} holds a run made with something else ({', '.join(changed[:6])}). Give another --out, or the "
            "same settings, to go on with it."
        )


def _tell_missing(questions: Sequence[Question], asker: "_Asker", tell: Tell) -> None:
    missing = [(question.id, gold.title) for question in questions for gold in asker.gold(question) if not gold.key]
    for question in questions:
        for name in question.without:
            if not asker.knows(name):
                tell(f"{question.id}: {name!r}, to be left out, is not in the index anyway")
    if missing:
        tell(f"{len(missing)} gold papers are not in the index; they count as not found:")
        for question_id, title in missing[:10]:
            tell(f"  {question_id}: {title}")
        if len(missing) > 10:
            tell(f"  and {len(missing) - 10} more")


def _ask_all(
    folder: Path, questions: Sequence[Question], asker: "_Asker", progress: Progress, tell: Tell
) -> list[Record]:
    known = {record.question.id: record for record in read_records(folder)}
    with RecordsFile(folder) as file:
        if known:
            tell(f"{len(known)} of {len(questions)} questions are answered already in {folder}")
        progress(len(known), len(questions))
        for question in questions:
            if question.id not in known:
                known[question.id] = asker.ask(question)
                file.append(known[question.id])
                progress(len(known), len(questions))
    return [known[question.id] for question in questions]


class _Asker:
    """Puts questions to an engine and makes records of what comes back."""

    def __init__(self, engine: SearchEngine, config: Config, seed: int, counterfactual: float) -> None:
        self._engine = engine
        self._config = config
        self._seed = seed
        self._counterfactual = counterfactual
        entries = list(engine.catalog.search_titles())
        self._keys = {entry.id: entry.key for entry in entries}
        self._ids = {entry.key: entry.id for entry in entries}
        self._titles = {entry.key: entry.paper.title or entry.key for entry in entries}
        self._by_title = {normalise_title(entry.paper.title): entry.key for entry in entries if entry.paper.title}

    def gold(self, question: Question) -> tuple[Gold, ...]:
        """The gold papers of `question` with their keys in the index, each once."""
        found: dict[str, Gold] = {}
        for name, grade in question.gold.items():
            key = self._key(name)
            known = found.get(key or name)
            found[key or name] = Gold(key, self._titles.get(key, name), max(grade, known.grade if known else grade))
        return tuple(found.values())

    def knows(self, name: str) -> bool:
        """Whether the index holds the paper with this key or title."""
        return bool(self._key(name))

    def _key(self, name: str) -> str:
        return name if name in self._ids else self._by_title.get(normalise_title(name), "")

    def ask(self, question: Question) -> Record:
        """The record of one question.

        What goes wrong with this question is part of the record. What would go wrong with the next one too is raised: a
        full disk, a missing model, an index in use.
        """
        hidden = {self._ids[key] for name in question.without if (key := self._key(name))}
        try:
            record = self._answered(question, hidden) if isinstance(self._engine, Engine) else None
            record = record or self._searched(question, hidden)
        except (OSError, MemoryError):
            raise
        except Exception as error:
            if isinstance(error, CitableError) and not isinstance(error, UsageError):
                raise
            record = Record(
                question=question, gold=self.gold(question), ranking=(), hits=(), confidence=0.0, refusal_score=0.0,
                reply=None, counterfactual=None, error=f"{type(error).__name__}: {error}", timings={},
            )  # fmt: skip
        return replace(record, timings={**record.timings, "peak_memory": _peak_memory()})

    def _searched(self, question: Question, hidden: set[int]) -> Record:
        finder, asked = self._engine.finder, narrow(question.question, None, self._engine.catalog, hidden)
        subject = finder.subject_after(question.history, hidden)
        clock = Clock()
        if answer := finder.from_records(asked, subject, hidden):
            clock.lap("search")
            return self._record(question, replace(answer, timings=clock.finish()))
        finding = finder.found(asked, subject, hidden, clock)
        return self._record(question, finding, finder.threshold, clock.finish())

    def _answered(self, question: Question, hidden: set[int]) -> Record:
        assert isinstance(self._engine, Engine)
        subject = self._engine.finder.subject_after(question.history, hidden)
        answer = self._engine.answerer.ask(question.question, without=hidden, subject=subject)
        without = self._ask_without_cited(question, answer, hidden)
        return replace(self._record(question, answer), reply=self._reply(answer), counterfactual=without)

    def _record(
        self,
        question: Question,
        got: Answer | Finding,
        needed: float | None = None,
        timings: Mapping[str, float] | None = None,
    ) -> Record:
        """What was found for a question; of a Finding it has to be told what was `needed`, and how long it took."""
        found = got.found if isinstance(got, Finding) else got
        needed = got.needed if isinstance(got, Answer) else needed or 0.0
        return Record(
            question=question,
            query=got.query,
            gold=self.gold(question),
            ranking=self._ranking(found.ranking),
            hits=tuple(map(_shown, found.hits)),
            confidence=round(got.confidence, 6),
            refusal_score=round(needed - got.confidence, 6),
            reply=None,
            counterfactual=None,
            error="",
            timings=dict(got.timings if isinstance(got, Answer) else timings or {}),
        )

    def _ranking(self, ranking: Sequence[tuple[int, float]]) -> tuple[Ranked, ...]:
        return tuple(Ranked(self._keys[paper_id], round(score, 6)) for paper_id, score in ranking[:DEPTH])

    def _reply(self, answer: Answer) -> Reply:
        cited = self._engine.catalog.papers([citation.paper_id for citation in answer.citations])
        return Reply(
            text=answer.text,
            refused=answer.refused,
            claims=tuple(
                StatedClaim(
                    claim.text,
                    tuple(citation.number for citation in claim.citations),
                    claim.verdict.value,
                    round(claim.score, 6),
                    claim.written,
                )
                for claim in answer.claims
            ),
            citations=tuple(
                CitedSentence(
                    citation.number, citation.key, citation.title, citation.sentence, citation.quote,
                    verbatim=_stands_at(paper, citation.quote, citation.start, citation.end),
                )
                for citation, paper in zip(answer.citations, cited, strict=True)
            ),
            evidence=tuple(
                ShownSentence(item.number, item.key, item.title, item.sentence.index, item.sentence.text)
                for item in answer.evidence
            ),
            raw=answer.raw,
            ended=answer.ended,
            parsed=parses(answer.raw, len(answer.evidence), ended=answer.ended, writing=answer.writing),
            dropped=answer.dropped,
            prompt_tokens=answer.prompt_tokens,
            read_tokens=answer.read_tokens,
            generated_tokens=answer.generated_tokens,
            listed=tuple(entry.key for entry in answer.listed or ()),
        )  # fmt: skip

    def _ask_without_cited(self, question: Question, answer: Answer, hidden: set[int]) -> Counterfactual | None:
        drawn = int(sha256(f"{self._seed}:{question.id}".encode()).hexdigest()[:8], 16) / 16**8
        cited = {citation.paper_id for citation in answer.citations}
        if not cited or drawn >= self._counterfactual:
            return None
        assert isinstance(self._engine, Engine)
        again = self._engine.answerer.ask(
            question.question, without=hidden | cited, subject=answer.subject, follows=answer.followed
        )
        return Counterfactual(
            without=tuple(sorted(self._keys[paper_id] for paper_id in cited)),
            text=again.text,
            refused=again.refused,
            cited=tuple(dict.fromkeys(citation.key for citation in again.citations)),
        )


def parses(raw: str, evidence: int, *, ended: bool, writing: str = "compose") -> bool:
    """Whether the model's text has the form that the grammar of the mode of `writing` promises; `free` promises none.

    That is: the refusal; or for `quote` numbers of 1..`evidence` in brackets, none twice; or for `compose` sentences
    that end with such numbers, and brackets nowhere else. A model that was stopped, not `ended` by itself, may leave a
    sentence without its end.
    """
    if raw.strip() in ("", REFUSAL) or writing == "free":
        return True
    if writing == "quote":
        chosen = [int(number) for number in re.findall(r"\d+", raw)]
        form = re.fullmatch(r"\[\d+\](?: \[\d+\])*", raw if ended else re.sub(r"\s*\[?\d*$", "", raw))
        return bool(form) and len(set(chosen)) == len(chosen) and all(1 <= number <= evidence for number in chosen)
    sentences, rest = split_written(raw, finished=ended)
    whole = all(sentence.text and all(1 <= number <= evidence for number in sentence.numbers) for sentence in sentences)
    # Of a stopped sentence, an open citation may be the end: "... text [1".
    unfinished = re.sub(r"(?:\s*\[\d+\])*\s*(?:\[\d*)?$", "", rest)
    return whole and not re.search(r"[\[\]]", unfinished) and not (ended and rest.strip())


def _stands_at(paper: CatalogPaper, quote: str, start: int, end: int) -> bool:
    return bool(quote) and paper.paper.abstract[start:end] == quote


def _shown(hit: Hit) -> ShownPaper:
    parts = {name: round(value, 6) for name, value in hit.parts.items()}
    return ShownPaper(hit.key, hit.title, round(hit.score, 6), parts)


def _peak_memory() -> float:
    """The most memory that this process has held so far, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)
