"""The user's own index -> a suite of questions, without anybody's labels.

A question takes a sentence of a paper and asks for a number or a rare word of it: as a gap to fill, or in a question
that the language model writes. It is kept if a search for it brings the paper back (the round trip), which makes the
suite easier than real questions are. Some are asked once more with their paper left out: then nothing answers them.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from threading import Event
from typing import Any

from filelock import FileLock, Timeout

from eval.loaders.native import PROGRESS, QUESTIONS
from eval.storage import write_whole
from rag.build import Engine, SearchEngine
from rag.config import Config
from rag.errors import IndexBusyError, UsageError
from rag.grammar import question_grammar
from rag.prompting import QuestionPrompt
from rag.records import CatalogPaper, Hit, Sentence, Token
from rag.terms import STOP_WORDS, content_terms, normalise, terms

_SHORTEST, _LONGEST = 60, 320  # characters of a sentence worth asking about
_GAP = "____"
# A number with what belongs to it, or a word.
_CANDIDATE = re.compile(r"(?<![\w.,])(?:\d[\d.,]*\d|\d)(?:\s?%)?(?![\w])|[^\W\d_][\w-]{3,}")
_QUESTION_TOKENS = 60
# Another paper that holds the missing word and this share of the sentence's words may well answer the question too.
_SAME_SHARE = 0.5


@dataclass(frozen=True)
class Made:
    """The suite that was made, and what became of the papers drawn."""

    folder: Path
    told: str


def make_suite(
    config: Config,
    out: Path | None = None,
    *,
    papers: int = 50,
    seed: int = 0,
    mode: str = "cloze",
    unanswerable: float = 0.3,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Made:
    """Make a suite from at most `papers` papers of the index and write it to the folder `out`.

    Without `out` it goes to `suites` in the data folder. The same arguments make the same suite. An interrupted call is
    gone on with by the next one with the same arguments. Raises UsageError where the folder holds a suite already, and
    what opening the index raises.
    """
    if papers < 1:
        raise UsageError(f"--papers {papers}: must be at least 1.")
    if not 0 <= unanswerable <= 1:
        raise UsageError(f"--unanswerable {unanswerable}: must lie between 0 and 1.")
    name = re.sub(r"[^\w.-]", "_", Path(config.index).name)
    folder = out or config.home.expanduser() / "suites" / f"made-{name}-{mode}-{papers}-{unanswerable:g}-{seed}"
    if (folder / QUESTIONS).exists():
        raise UsageError(f"{folder} holds a suite already. Run it, delete it, or give another --out.")
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with (
            FileLock(folder / "making.lock", timeout=0),
            (Engine if mode == "model" else SearchEngine)(config) as engine,
        ):
            settings = {
                "papers": papers, "seed": seed, "mode": mode, "unanswerable": unanswerable,
                "index": engine.catalog.digest(),
                # What the questions depend on besides: the round trip by the search, the writing by the model.
                "search": [config.rankings, config.candidates, config.papers],
                "llm": config.llm if mode == "model" else None,
            }  # fmt: skip
            outcomes = _make_all(folder, engine, settings, progress)
    except Timeout:
        raise IndexBusyError(f"another process makes {folder}. Wait until it is done, or stop it.") from None
    return _finish(folder, config, mode, outcomes)


def _make_all(
    folder: Path, engine: SearchEngine, settings: Mapping[str, Any], progress: Callable[[int, int], None]
) -> list[dict[str, Any]]:
    """What became of each paper drawn; kept line by line, so that an interruption loses one paper at most."""
    entries = sorted(engine.catalog.search_titles(), key=lambda entry: entry.key)
    drawn = Random(settings["seed"]).sample(entries, min(settings["papers"], len(entries)))  # noqa: S311
    part = folder / PROGRESS
    done = _read_part(part, settings)
    maker = _Maker(engine, settings["mode"], settings["unanswerable"])
    write_whole(part, "".join(json.dumps(line) + "\n" for line in (settings, *done)))
    with part.open("a", encoding="utf-8") as file:
        progress(len(done), len(drawn))
        for entry in drawn[len(done) :]:
            # Its own seed: what is drawn for a paper does not depend on where an interruption fell.
            outcome = maker.make(entry, Random(f"{settings['seed']}:{entry.key}"))  # noqa: S311
            done.append(outcome)
            file.write(json.dumps(outcome) + "\n")
            file.flush()
            progress(len(done), len(drawn))
    return done


def _read_part(part: Path, settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    if part.is_file():
        with suppress(ValueError):  # A torn last line ends what can be used.
            lines.extend(json.loads(line) for line in part.read_text(encoding="utf-8").split("\n"))
    return lines[1:] if lines and lines[0] == settings else []


def _finish(folder: Path, config: Config, mode: str, outcomes: Sequence[Mapping[str, Any]]) -> Made:
    questions = [question for outcome in outcomes for question in outcome["questions"]]
    became = Counter(outcome["became"] for outcome in outcomes)
    if not questions:
        raise UsageError(f"no question could be made ({_counts(became)}). Index more papers, or use --mode cloze.")
    none = sum(question["kind"] == "none" for question in questions)
    by = f" by {config.llm!r}" if mode == "model" else ""
    note = (
        f"Made from {len(outcomes)} papers of index {config.index!r}{by}: {len(questions) - none} questions with an "
        f"answer and {none} without. What became of the papers: {_counts(became)}."
    )
    write_whole(folder / "suite.toml", f"name = {json.dumps(folder.name)}\nnotes = [{json.dumps(note)}]\n")
    lines = [json.dumps(question) + "\n" for question in questions]
    write_whole(folder / QUESTIONS, "".join(lines))
    (folder / PROGRESS).unlink()
    return Made(folder, note)


def _counts(became: Counter[str]) -> str:
    return ", ".join(f"{count} {what}" for what, count in became.most_common())


class _Maker:
    """Makes the questions of one paper at a time."""

    def __init__(self, engine: SearchEngine, mode: str, unanswerable: float) -> None:
        self._engine = engine
        self._mode = mode
        self._unanswerable = unanswerable
        self._prompt = QuestionPrompt()

    def make(self, entry: CatalogPaper, rng: Random) -> dict[str, Any]:
        """The questions on a paper, with what became of it."""
        found = self._gap(entry, rng)
        if found is None:
            return _outcome(entry, "without a sentence to ask about")
        sentence, gap, start = found
        text = self.question(sentence, gap, start)
        if not text:
            return _outcome(entry, "whose question gave the answer away or failed")
        if entry.key not in [hit.key for hit in self._engine.retriever.search(text).hits]:
            return _outcome(entry, "not found again by their question")
        asked = {
            "id": f"made-{entry.id}", "kind": "fact", "question": text, "gold": [entry.key], "nuggets": [[gap]],
            "answer": sentence.text, "generated": True,
        }  # fmt: skip
        if rng.random() >= self._unanswerable:
            return _outcome(entry, "asked about", asked)
        hits = self._engine.retriever.search(text, {entry.id}).hits
        if any(_may_answer(hit, sentence, gap) for hit in hits):
            return _outcome(entry, "asked about, not left out since another may answer", asked)
        left_out = {
            "id": f"made-{entry.id}-left-out", "kind": "none", "subkind": "left out", "question": text,
            "without": [entry.key], "generated": True,
        }  # fmt: skip
        return _outcome(entry, "asked about and left out", asked, left_out)

    def _gap(self, entry: CatalogPaper, rng: Random) -> tuple[Sentence, str, int] | None:
        """A sentence of the paper, the number or rare word in it that is asked for, and where that stands."""
        options: list[tuple[float, Sentence, str, int]] = []
        for sentence in self._engine.catalog.sentences(entry):
            if not _SHORTEST <= len(sentence.text) <= _LONGEST:
                continue
            words = terms(sentence.text)
            for match in _CANDIDATE.finditer(sentence.text):
                gap = match.group()
                own = terms(gap)
                if len(own) != 1 or words.count(own[0]) != 1 or normalise(gap) in STOP_WORDS:
                    continue
                if own[0] in terms(entry.paper.title):
                    continue
                weight = self._engine.files.lexical.idf(own)[own[0]] + _preference(gap)
                options.append((weight, sentence, gap, match.start()))
        if not options:
            return None
        best = max(option[0] for option in options)
        _, sentence, gap, start = rng.choice([option for option in options if option[0] >= 0.8 * best])
        return sentence, gap, start

    def question(self, sentence: Sentence, gap: str, start: int) -> str:
        """The question whose answer is `gap`, at `start` in `sentence`; empty if it would give the answer away."""
        text = self._write(sentence.text, gap, start)
        return "" if set(terms(gap)) & set(terms(text)) else text

    def _write(self, sentence: str, gap: str, start: int) -> str:
        if self._mode == "cloze":
            open_ = " ".join((sentence[:start] + _GAP + sentence[start + len(gap) :]).split())
            return f'What belongs in the gap: "{open_.rstrip(".")}"?'
        plain = " ".join(sentence.split())
        assert isinstance(self._engine, Engine)
        messages = self._prompt.messages(plain, gap)
        llm = self._engine.llm
        if llm.count_tokens(messages) + _QUESTION_TOKENS > llm.context_tokens:
            return ""
        events = llm.stream(messages, grammar=question_grammar(), max_tokens=_QUESTION_TOKENS, cancel=Event())
        text = "".join(event.text for event in events if isinstance(event, Token)).strip()
        shared = set(content_terms(text)) & set(content_terms(plain))
        # A question that takes up nothing of its sentence could be about anything.
        return text if text.endswith("?") and len(shared) >= 2 else ""


def _preference(gap: str) -> float:
    """Numbers before names and acronyms, and these before other rare words, in units of idf."""
    if any(char.isdigit() for char in gap):
        return 12.0
    return 6.0 if any(char.isupper() for char in gap[1:]) else 0.0


def _outcome(entry: CatalogPaper, became: str, *questions: Mapping[str, Any]) -> dict[str, Any]:
    return {"paper": entry.key, "became": became, "questions": list(questions)}


def _may_answer(hit: Hit, sentence: Sentence, gap: str) -> bool:
    """Whether a sentence of `hit` holds the word that is asked for and much of the sentence it was taken from."""
    asked, answer = set(content_terms(sentence.text)), set(terms(gap))
    for other in hit.sentences:
        words = set(terms(other.sentence.text))
        if answer <= words and len(asked & words) >= _SAME_SHARE * len(asked):
            return True
    return False
