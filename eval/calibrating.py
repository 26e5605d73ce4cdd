"""Questions with and without an answer in the sample -> the weights by which Citable tells them apart.

`citable eval calibrate` searches for each question of the suite `calibration`, and for those that papers answer once
more with these papers left out, and fits a logistic model for each embedding model that is here. Figures are those of
questions that a model was not fitted on (ten folds, a question and its twin without papers in the same fold).
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from eval.datasets import bundled_suites, load_suite
from eval.indexes import index_corpus
from eval.metrics.intervals import Estimate, resampled
from eval.metrics.refusals import auroc
from eval.records import Kind, Question
from eval.storage import write_whole
from rag.answerability import Weights, features, weights_path
from rag.build import SearchEngine
from rag.config import Config
from rag.identity import normalise_title
from rag.records import Retrieval, Word

Progress = Callable[[int, int], None]
# Inverse strength of the regularisation of standardised features (eval/LOG.md).
_C = 0.05
_FOLDS = 10
# A question whose papers were taken away counts half: some of them are answered by the papers left.
_TWIN = 0.5
# What a paper is wrongly taken to say has all the words of the paper. Most features cannot see it: with its full weight
# it would teach them that common words speak against an answer (eval/LOG.md).
_HARDLY_SEEN, _LITTLE = "false-premise", 0.2
_OPERATING = (0.2, 0.25, 0.3, 0.33, 0.36, 0.4, 0.45, 0.5)


@dataclass(frozen=True)
class Case:
    """A search with what is known of it: `group` is the kind or subkind of question, a twin's ends in `hidden`."""

    id: str
    group: str
    answerable: bool
    share: float
    features: dict[str, float]
    words: tuple[Word, ...]


@dataclass(frozen=True)
class Calibration:
    """The weights for one embedding model, and how they do on questions that they were not fitted on."""

    name: str
    digest: str
    weights: Weights
    auroc: dict[str, Estimate]
    operating: dict[float, dict[str, float]]


def calibrate(config: Config, indexing: Progress, progress: Progress) -> Calibration:
    """Fit the weights for the embedding model of `config`. Raises what opening index and model raises."""
    suite = load_suite(bundled_suites() / "calibration")
    assert suite.corpus is not None
    config, _ = index_corpus(config, suite.corpus, indexing)
    with SearchEngine(config) as engine:
        cases = list(_cases(engine, suite.questions, progress))
        name, digest = engine.config.embedding_model, engine.embedder.digest
    held_out = _held_out(cases)
    return Calibration(
        name, digest, replace(_fit(cases), unmet_below=_unmet_below(cases)), _auroc(cases, held_out),
        {threshold: _answered(cases, held_out, threshold) for threshold in _OPERATING},
    )  # fmt: skip


def _cases(engine: SearchEngine, questions: Sequence[Question], progress: Progress) -> Iterator[Case]:
    ids = {normalise_title(entry.paper.title): entry.id for entry in engine.catalog.search_titles()}
    for done, question in enumerate(questions):
        progress(done, len(questions))
        found = engine.retriever.search(question.question)
        answerable = question.kind is not Kind.NONE
        if found.words:
            group = question.kind if answerable else question.subkind
            share = _LITTLE if group == _HARDLY_SEEN else 1.0
            yield _case(engine, question, group, answerable, share, found)
        if question.kind in (Kind.FACT, Kind.FIND):
            hidden = engine.retriever.search(
                question.question, {ids[normalise_title(title)] for title in question.gold}
            )
            if hidden.words and hidden.hits:
                yield _case(engine, question, f"{question.kind}, hidden", False, _TWIN, hidden)
    progress(len(questions), len(questions))


def _case(
    engine: SearchEngine, question: Question, group: str, answerable: bool, share: float, found: Retrieval
) -> Case:
    seen = features(question.question, found, engine.judge.reader.read(question.question, found))
    return Case(question.id, group, answerable, share, seen, found.words)


def _fit(cases: Sequence[Case]) -> Weights:
    """Both classes weigh the same in all."""
    names = list(cases[0].features)
    table = np.array([[case.features[name] for name in names] for case in cases])
    truth = np.array([case.answerable for case in cases])
    share = np.array([case.share for case in cases])
    share = share / np.where(truth, share[truth].sum(), share[~truth].sum()) * len(cases) / 2
    mean, scale = table.mean(axis=0), table.std(axis=0)
    scale[scale == 0] = 1.0
    model = LogisticRegression(C=_C, max_iter=2000).fit((table - mean) / scale, truth, sample_weight=share)

    def named(values: npt.NDArray[np.float64]) -> dict[str, float]:
        return {name: round(float(value), 4) for name, value in zip(names, values, strict=True)}

    return Weights(named(mean), named(scale), named(model.coef_[0]), round(float(model.intercept_[0]), 4))


def _held_out(cases: Sequence[Case]) -> npt.NDArray[np.float64]:
    """The probability of each case by weights fitted without its question."""
    ids = np.array(list(dict.fromkeys(case.id for case in cases)))
    np.random.default_rng(0).shuffle(ids)
    fold = {id_: place % _FOLDS for place, id_ in enumerate(ids.tolist())}
    fitted = [_fit([case for case in cases if fold[case.id] != number]) for number in range(_FOLDS)]
    return np.array([fitted[fold[case.id]].probability(case.features) for case in cases])


def _auroc(cases: Sequence[Case], likely: npt.NDArray[np.float64]) -> dict[str, Estimate]:
    answerable = np.array([case.answerable for case in cases])
    figures = {}
    for group in dict.fromkeys(case.group for case in cases if not case.answerable):
        chosen = answerable | np.array([case.group == group for case in cases])
        figures[group] = resampled(lambda s, n: auroc(s, n.astype(bool)), -likely[chosen], ~answerable[chosen])
    return figures


def _answered(cases: Sequence[Case], likely: npt.NDArray[np.float64], threshold: float) -> dict[str, float]:
    """Share of each group that is answered."""
    groups: dict[str, list[bool]] = {}
    for case, probability in zip(cases, likely, strict=True):
        groups.setdefault(case.group, []).append(bool(probability >= threshold))
    return {group: float(np.mean(taken)) for group, taken in groups.items()}


def _unmet_below(cases: Sequence[Case]) -> float:
    """The match that best tells words that a paper puts otherwise from words that it does not deal with.

    That is Youden's J over rare words of `fact` questions that no paper found holds, with and without their paper.
    """

    def matches(group: str) -> npt.NDArray[np.float64]:
        words = [word for case in cases if case.group == group for word in case.words]
        return np.array([word.any_match for word in words if not word.any_stands and word.rarity > 0.5])

    met, unmet = matches("fact"), matches("fact, hidden")
    grid = np.arange(0.1, 0.7, 0.01)
    return round(float(grid[np.argmax([(unmet < at).mean() - (met < at).mean() for at in grid])]), 2)


def table(found: Calibration) -> str:
    """The figures as Markdown."""
    lines = [f"{found.name}: chance that an answerable question looks better than one without answer (AUROC)", ""]
    lines += [f"  {group}: {one.value:.3f} [{one.low:.3f}, {one.high:.3f}]" for group, one in found.auroc.items()]
    groups = list(found.operating[_OPERATING[0]])
    lines += ["", "Share answered, by the setting answer_threshold:", "", f"| threshold | {' | '.join(groups)} |"]
    lines.append("|" + "---|" * (len(groups) + 1))
    for threshold, shares in found.operating.items():
        lines.append(f"| {threshold} | " + " | ".join(f"{shares[group]:.2f}" for group in groups) + " |")
    return "\n".join(lines)


def write(found: Sequence[Calibration], path: Path | None = None) -> Path:
    """Write the weights to where Citable reads them, beside those of models that were not fitted now.

    The last of `found` serves models that are not in the file.
    """
    path = path or weights_path()
    models: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["models"]
    models |= {one.digest: {"name": one.name, "model": asdict(one.weights)} for one in found}
    questions = load_suite(bundled_suites() / "calibration")
    content = {"questions": questions.digest, "other": found[-1].digest, "models": models}
    write_whole(path, json.dumps(content, indent=1) + "\n")
    return path
