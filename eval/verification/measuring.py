"""How well true claims are told from false ones on papers that the weights have not seen; shipping the weights."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

import rag
from eval.metrics.intervals import Estimate, mean, resampled
from eval.metrics.refusals import Bools, Floats, auroc
from eval.verification.claims import Case, digest, load_claims, load_studies
from eval.verification.corruptions import corrupted
from eval.verification.training import Seen, fit, look, sample_idf
from rag.checking import WEIGHTS_FILE, Weights

# What the issue of false claims is mostly about: each a kind of ours, or several.
MAIN_KINDS = {
    "numbers changed": ("number",),
    "direction flipped": ("direction",),
    "entity swapped": ("entity of the paper", "entity of another paper"),
    "taken from another paper": ("another paper",),
}
FIT = 0


@dataclass(frozen=True)
class Measured:
    """Weights fitted on one half of the papers, and the cases of the other half with their probabilities."""

    weights: Weights
    test: tuple[Seen, ...]
    scores: Floats

    @property
    def true(self) -> Bools:
        """Which cases are true."""
        return np.array([one.case.true for one in self.test])

    def auroc(self, kinds: Sequence[str] = (), by: str = "") -> Estimate:
        """Of true claims against the false ones of some kinds (all without), with its interval over cases."""
        chosen = self.true | np.array(
            [(not kinds or one.case.kind in kinds) and (not by or one.case.by == by) for one in self.test]
        )
        return resampled(auroc, -self.scores[chosen], ~self.true[chosen])

    def share(self, which: Callable[[Seen], bool], *, word_by_word: bool = False) -> Estimate:
        """Share of some cases that are supported, or that stand word by word in their evidence whatever objects."""
        chosen = [one for one in self.test if which(one)]
        return mean([float(one.word_by_word if word_by_word else one.supported) for one in chosen])


def all_cases() -> list[Case]:
    """The claims of the file and the false ones made of the true ones."""
    studies = load_studies()
    claims = load_claims(studies)
    return [*claims, *corrupted([claim for claim in claims if claim.true], studies)]


def measure(cases: Sequence[Case], fitted: int = FIT) -> Measured:
    """Fit on the papers of one half and look at the other."""
    seen = look(cases, sample_idf(load_studies()))
    weights = fit([one for one in seen if one.case.half == fitted])
    test = tuple(one for one in seen if one.case.half != fitted)
    return Measured(weights, test, np.array([weights.probability(one.signals) for one in test]))


def write_weights(weights: Weights) -> Path:
    """Write the weights that ship."""
    path = Path(rag.__file__).parent / WEIGHTS_FILE
    path.write_text(json.dumps({"claims": digest(), **asdict(weights)}, indent=1) + "\n", encoding="utf-8")
    return path


def summary(measured: Measured) -> str:
    """The figures as Markdown."""
    about = (
        f"Fitted on every second paper, measured on the others: {int(measured.true.sum())} true claims, "
        f"{int((~measured.true).sum())} false ones."
    )
    lines = [
        about,
        "",
        "| true claims against | n | AUROC |",
        "|---|---|---|",
        _row("all false ones", len(measured.test) - int(measured.true.sum()), measured.auroc()),
    ]
    lines += [_row(told, _count(measured, kinds), measured.auroc(kinds)) for told, kinds in MAIN_KINDS.items()]
    main = [kind for kinds in MAIN_KINDS.values() for kind in kinds]
    lines.append(_row("these four together", _count(measured, main), measured.auroc(main, "rule")))
    others = sorted({one.case.kind for one in measured.test if one.case.by == "rule"} - set(main))
    lines += [_row(kind, _count(measured, [kind]), measured.auroc([kind])) for kind in others]
    hand = sum(not one.case.true and one.case.by == "hand" for one in measured.test)
    lines += [_row("written by hand, all kinds", hand, measured.auroc(by="hand")), ""]
    lines += ["| supported | n | word by word alone | and no objection |", "|---|---|---|---|"]
    for told, which in _GROUPS.items():
        before, now = measured.share(which, word_by_word=True), measured.share(which)
        lines.append(f"| {told} | {now.n} | {_told(before)} | {_told(now)} |")
    return "\n".join(lines) + "\n"


_GROUPS: dict[str, Callable[[Seen], bool]] = {
    "false claims": lambda one: not one.case.true,
    "true claims": lambda one: one.case.true,
    "true, near the words": lambda one: one.case.true and one.case.kind == "extract",
    "true, shortened": lambda one: one.case.true and one.case.kind == "short",
    "true, of two sentences": lambda one: one.case.true and one.case.kind == "join",
    "true, paraphrased": lambda one: one.case.true and one.case.kind == "paraphrase",
}


def _count(measured: Measured, kinds: Sequence[str]) -> int:
    return sum(not one.case.true and one.case.kind in kinds for one in measured.test)


def _row(told: str, n: int, estimate: Estimate) -> str:
    return f"| {told} | {n} | {_told(estimate)} |"


def _told(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"
