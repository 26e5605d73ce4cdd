"""Train the network of `rag/comprehension.py` on the made-up papers: examples -> a file of weights.

A run that is stopped goes on after the last epoch that it finished. Figures are those of papers held out.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  the name that the library's own documentation uses
from torch import Tensor

from eval.comprehension.examples import Paper
from eval.metrics.refusals import auroc
from rag.comprehension import Base, own_tokenizer, save_weights, shipped_weights
from rag.comprehension_network import ComprehensionNetwork, Logits, Outcome

# Chosen on the papers held out, and on the suite `calibration` (eval/LOG.md).
_LOWER, _RANK = 2, 16
_RATE, _DECAY, _WARM_UP = 7e-4, 0.01, 0.1
_TOGETHER = 2  # papers a step
_SMOOTHING = 0.05
_POINTING = 0.5  # weight of the loss of pointing beside that of the outcome
EPOCHS = 4
WEIGHTS = shipped_weights()
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Prepared:
    """A paper after the lower layers, which are not trained, as 16-bit numbers, with the outcomes that are due."""

    paper: Tensor
    spans: list[tuple[int, int]]
    questions: Tensor
    mask: Tensor
    outcomes: Tensor
    pointed: Tensor
    source: Paper


def prepare(network: ComprehensionNetwork, papers: Sequence[Paper], progress: Progress) -> Iterator[Prepared]:
    """Each of `papers` with its examples, read by the lower layers."""
    for done, paper in enumerate(papers):
        progress(done, len(papers))
        # The made-up papers are short: they have one window.
        ((_, read),) = network.windows(paper.title, paper.sentences)
        asked = network.questions([one.text for one in paper.examples])
        outcomes = torch.tensor([int(one.outcome) for one in paper.examples])
        pointed = torch.zeros(len(paper.examples), len(paper.sentences))
        for row, one in enumerate(paper.examples):
            pointed[row, list(one.sentences)] = 1 / max(1, len(one.sentences))
        with torch.no_grad():
            yield Prepared(
                network.lower_paper(read).half(), read.sentences, network.lower_questions(asked).half(), asked.mask,
                outcomes.to(network.device), pointed.to(network.device), paper,
            )  # fmt: skip
    progress(len(papers), len(papers))


def train(
    base: Base, papers: Sequence[Paper], out: Path, *, epochs: int = EPOCHS,
    preparing: Progress, progress: Progress, tell: Callable[[str], None],
) -> dict[str, float]:  # fmt: skip
    """Train a reader over `base` and write its weights to `out`; the figures on papers held out, see `measure`.

    What an unfinished run has learnt lies beside `out`, and is taken up by the next one.
    """
    torch.manual_seed(0)
    shape = {"lower": _LOWER, "rank": _RANK}
    network = ComprehensionNetwork(base.transformer, own_tokenizer(base), **shape)
    network.to(network.device)
    ready = list(prepare(network, papers, preparing))
    used = [one for one in ready if not one.source.held_out]
    held_out = [one for one in ready if one.source.held_out]
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(
        [
            {"params": [one for one in trained if one.ndim > 1], "weight_decay": _DECAY},
            {"params": [one for one in trained if one.ndim < 2], "weight_decay": 0.0},
        ],
        lr=_RATE,
    )
    steps = epochs * (len(used) // _TOGETHER)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step / max(1, steps)))
    kept = out.with_suffix(".unfinished")
    made_of = {"base": base.digest, "epochs": epochs, "shape": shape, "papers": _digest(papers)}
    first = _resume(kept, made_of, network, optimizer, schedule)
    figures = measure(network, held_out) if first == epochs else {}
    for epoch in range(first, epochs):
        network.train()
        torch.manual_seed(epoch)  # a run that goes on draws what it would have drawn
        order = random.Random(epoch).sample(used, len(used))  # noqa: S311  no secret
        for place in range(0, len(order) - len(order) % _TOGETHER, _TOGETHER):
            progress(epoch * len(used) + place, epochs * len(used))
            optimizer.zero_grad()
            for one in order[place : place + _TOGETHER]:
                (_loss(network, one) / _TOGETHER).backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            optimizer.step()
            schedule.step()
        figures = measure(network, held_out)
        tell(f"epoch {epoch + 1} of {epochs}: {table(figures)}")
        state = {"made of": made_of, "epoch": epoch + 1, "schedule": schedule.state_dict()}
        state |= {"network": network.state_dict(), "optimizer": optimizer.state_dict()}
        torch.save(state, kept.with_suffix(".writing"))
        kept.with_suffix(".writing").replace(kept)
    progress(epochs * len(used), epochs * len(used))
    save_weights(network, out, base.digest, shape)
    kept.unlink(missing_ok=True)
    return figures


def _digest(papers: Sequence[Paper]) -> str:
    return sha256(repr(papers).encode()).hexdigest()


def _resume(
    kept: Path,
    made_of: Mapping[str, object],
    network: ComprehensionNetwork,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
) -> int:
    """Take up what an earlier run of the same left; how many epochs that had."""
    state = torch.load(kept, weights_only=True) if kept.exists() else {}
    if state.get("made of") != made_of:
        return 0
    network.load_state_dict(state["network"])
    optimizer.load_state_dict(state["optimizer"])
    schedule.load_state_dict(state["schedule"])
    return int(state["epoch"])


def _rate(done: float) -> float:
    return min(1.0, (done + 1e-3) / _WARM_UP) * max(0.0, 1 - done)


def _read(network: ComprehensionNetwork, one: Prepared) -> Logits:
    found: Logits = network(one.paper.float(), one.spans, one.questions.float(), one.mask)
    return found


def _loss(network: ComprehensionNetwork, one: Prepared) -> Tensor:
    found = _read(network, one)
    loss = F.cross_entropy(found.outcomes, one.outcomes, label_smoothing=_SMOOTHING)
    due = one.pointed.sum(1) > 0
    pointing = -(one.pointed * torch.log_softmax(found.sentences, 1)).sum(1)[due].mean()
    return loss + _POINTING * pointing


def measure(network: ComprehensionNetwork, papers: Sequence[Prepared]) -> dict[str, float]:
    """How often a fair question looks more answered than one of each other kind, and a true claim more than a wrong one
    (AUROC); and how often the sentence that is pointed at is one that answers.
    """
    network.eval()
    chances: dict[str, list[float]] = defaultdict(list)
    hits = []
    for one in papers:
        with torch.no_grad():
            found = _read(network, one)
        answered = torch.softmax(found.outcomes, 1)[:, int(Outcome.ANSWERED)].tolist()
        for example, chance, points in zip(one.source.examples, answered, found.sentences, strict=True):
            chances[example.kind].append(chance)
            if example.kind in ("fair", "true"):
                hits.append(int(points.argmax()) in example.sentences)
    pairs = [("fair", kind) for kind in ("near", "false", "made up", "foreign")]
    pairs += [("true", kind) for kind in ("wrong", "unfounded", "foreign claim")]
    figures = {f"{good} over {bad}": _better(chances[good], chances[bad]) for good, bad in pairs}
    return figures | {"pointed rightly": float(np.mean(hits))}


def _better(good: Sequence[float], bad: Sequence[float]) -> float:
    labels = np.array([True] * len(good) + [False] * len(bad))
    return float(auroc(np.array([*good, *bad]), labels))


def table(figures: dict[str, float]) -> str:
    """The figures in a line."""
    return ", ".join(f"{name} {value:.3f}" for name, value in figures.items())
