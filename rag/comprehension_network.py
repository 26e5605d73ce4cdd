"""The network that reads a question together with a paper, as a torch module: for `comprehension.py` and its training.

It borrows the transformer of the embedding model and changes nothing of it. In the lower layers question and paper are
read each by itself; in the upper ones, which have adapters of low rank (LoRA, Hu et al. 2021), the question also sees
the paper (as in DeFormer, Cao et al. 2020, but one way: the paper is the same for every question). Then each word of
the question is laid beside what each sentence of the paper has for it (as in ESIM, Chen et al. 2017). Out come the
chances of three outcomes, and how far each sentence is the one that answers.
"""

import math
from collections.abc import Sequence
from enum import IntEnum
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812  the name that the library's own documentation uses
from torch import Tensor, nn

LONGEST_PAPER = 400  # tokens that are read at once
LONGEST_QUESTION = 96
_NEVER = -1e9
_DROPOUT = 0.1


class Outcome(IntEnum):
    """What a paper is to a question or to a claim; in the order of the network's outputs."""

    ANSWERED = 0
    CONTRADICTED = 1
    ABSENT = 2


class Read(NamedTuple):
    """Token ids of a paper, shape (tokens,), and where in them its sentences stand: `(start, end)` of each."""

    ids: Tensor
    sentences: list[tuple[int, int]]


class Asked(NamedTuple):
    """Token ids of questions, shape (questions, longest), and which of them are no padding."""

    ids: Tensor
    mask: Tensor


class Logits(NamedTuple):
    """Of each Outcome, shape (questions, 3), and of each sentence, shape (questions, sentences)."""

    outcomes: Tensor
    sentences: Tensor


class _Adapted(nn.Module):
    """A linear layer that stays as it is, and a change of low rank to it."""

    def __init__(self, base: nn.Linear, rank: int) -> None:
        super().__init__()
        self._base = [base]  # in a list, the borrowed weights are no part of the module
        self.down = nn.Parameter(torch.randn(rank, base.in_features) / math.sqrt(base.in_features))
        self.up = nn.Parameter(torch.zeros(base.out_features, rank))

    def forward(self, x: Tensor) -> Tensor:
        changed: Tensor = self._base[0](x) + 2 * F.linear(F.linear(x, self.down), self.up)
        return changed


class _Layer(nn.Module):
    """A layer of a BERT; with a `rank`, adapted."""

    def __init__(self, layer: Any, rank: int) -> None:
        super().__init__()
        attention = layer.attention
        inner, last = attention.self, attention.output
        linear = [inner.query, inner.key, inner.value, last.dense, layer.intermediate.dense, layer.output.dense]
        norms = [last.LayerNorm, layer.output.LayerNorm]
        self.heads = int(inner.num_attention_heads)
        if rank:
            self.linear: Any = nn.ModuleList(_Adapted(one, rank) for one in linear)
            self.norms: Any = nn.ModuleList(_own(one) for one in norms)
        else:
            self._borrowed = [linear, norms]
            self.linear, self.norms = self._borrowed

    def queries_keys_values(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        query, key, value = self.linear[:3]
        return query(x), key(x), value(x)

    def apart(self, x: Tensor) -> Tensor:
        """(..., tokens, size) -> (..., heads, tokens, size of a head)."""
        return x.view(*x.shape[:-1], self.heads, -1).transpose(-3, -2)

    def finish(self, x: Tensor, attended: Tensor, dropout: float) -> Tensor:
        """What a layer does with what its attention brings."""
        output, up, down = self.linear[3:]
        x = self.norms[0](x + F.dropout(output(attended), dropout, self.training))
        return torch.as_tensor(self.norms[1](x + F.dropout(down(F.gelu(up(x))), dropout, self.training)))


def _own(norm: nn.LayerNorm) -> nn.LayerNorm:
    own = nn.LayerNorm(norm.normalized_shape, norm.eps)
    own.load_state_dict(norm.state_dict())
    return own


class ComprehensionNetwork(nn.Module):
    """The network over `transformer` (a BERT of the transformers library), which is frozen, and its `tokenizer`."""

    def __init__(self, transformer: Any, tokenizer: Any, *, lower: int, rank: int, size: int = 128) -> None:
        """`lower` layers read question and paper apart, the others have adapters of `rank`; `size` is that of the end.

        Raises ValueError if the transformer is no BERT.
        """
        super().__init__()
        if getattr(transformer.config, "model_type", "") != "bert":
            raise ValueError("the transformer is no BERT")
        transformer.eval().requires_grad_(False)
        self._transformer, self._tokenizer = [transformer], tokenizer
        layers = list(transformer.encoder.layer)
        self._lower = [_Layer(layer, 0) for layer in layers[:lower]]
        self.upper = nn.ModuleList(_Layer(layer, rank) for layer in layers[lower:])
        width = int(transformer.config.hidden_size)
        self.project = nn.Linear(width, size)
        nn.init.orthogonal_(self.project.weight)
        nn.init.zeros_(self.project.bias)
        self.reduce = nn.Linear(width, size)
        self.compare = nn.Sequential(
            nn.Linear(5 * size + 2, size), nn.GELU(), nn.Dropout(_DROPOUT), nn.Linear(size, size), nn.GELU()
        )
        self.attend = nn.Linear(size, 1)
        self.sentence = nn.Sequential(nn.Linear(2 * size + 1, size), nn.GELU(), nn.Dropout(_DROPOUT))
        self.point = nn.Linear(size, 1)
        self.decide = nn.Sequential(
            nn.Linear(4 * size + 3, size), nn.GELU(), nn.Dropout(_DROPOUT), nn.Linear(size, len(Outcome))
        )
        # As they are, the vectors of the embedding model point well already.
        self.of_question, self.of_sentence = nn.Linear(width, width), nn.Linear(width, width)
        for one in (self.of_question, self.of_sentence):
            nn.init.eye_(one.weight)
            nn.init.zeros_(one.bias)
        self.temperature, self.sharpness = nn.Parameter(torch.tensor(10.0)), nn.Parameter(torch.tensor(10.0))

    @property
    def device(self) -> torch.device:
        """Where the transformer is."""
        return torch.device(next(self._transformer[0].parameters()).device)

    def windows(self, title: str, sentences: Sequence[str]) -> list[tuple[int, Read]]:
        """A paper as token ids, cut between sentences where it is too long to be read at once.

        Each comes with the index of its first sentence. Of a sentence that is too long by itself, the end is left out.
        """
        tokenizer = self._tokenizer
        head = [tokenizer.cls_token_id, *self._ids(title)[: LONGEST_PAPER // 4], tokenizer.sep_token_id]
        room = LONGEST_PAPER - len(head) - 1
        found: list[tuple[int, Read]] = []
        ids, first = list(head), 0
        spans: list[tuple[int, int]] = []
        for index, text in enumerate(sentences):
            tokens = self._ids(text)[:room] or [tokenizer.sep_token_id]
            if len(ids) + len(tokens) > LONGEST_PAPER - 1:
                found.append((first, self._read(ids, spans)))
                ids, spans, first = list(head), [], index
            spans.append((len(ids), len(ids) + len(tokens)))
            ids += tokens
        if spans:
            found.append((first, self._read(ids, spans)))
        return found

    def _read(self, ids: list[int], spans: list[tuple[int, int]]) -> Read:
        return Read(torch.tensor([*ids, self._tokenizer.sep_token_id], device=self.device), spans)

    def _ids(self, text: str) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])

    def questions(self, texts: Sequence[str]) -> Asked:
        """Questions as token ids. Of one that is too long, the end is read, where the question proper stands."""
        ends = self._tokenizer.cls_token_id, self._tokenizer.sep_token_id
        ids = [torch.tensor([ends[0], *self._ids(text)[-LONGEST_QUESTION:], ends[1]]) for text in texts]
        padded = nn.utils.rnn.pad_sequence(ids, batch_first=True, padding_value=self._tokenizer.pad_token_id)
        lengths = torch.tensor([len(one) for one in ids])
        mask = torch.arange(padded.shape[1])[None] < lengths[:, None]
        return Asked(padded.to(self.device), mask.to(self.device))

    def lower_paper(self, read: Read) -> Tensor:
        """What the lower layers make of a paper, shape (tokens, size)."""
        return self.lower_questions(Asked(read.ids[None], torch.ones_like(read.ids[None], dtype=torch.bool)))[0]

    def lower_questions(self, asked: Asked) -> Tensor:
        """What the lower layers make of questions, shape (questions, longest, size)."""
        x: Tensor = self._transformer[0].embeddings(input_ids=asked.ids)
        mask = _additive(asked.mask)[:, None, None]
        for layer in self._lower:
            query, key, value = (layer.apart(one) for one in layer.queries_keys_values(x))
            attended = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
            x = layer.finish(x, attended.transpose(1, 2).flatten(2), 0.0)
        return x

    def forward(self, paper: Tensor, spans: list[tuple[int, int]], questions: Tensor, mask: Tensor) -> Logits:
        """Logits for each of `questions`, from what the lower layers make of them and of the `paper`."""
        paper, questions = self._together(paper, questions, mask)
        return self._compared(paper, spans, questions, mask)

    def _together(self, paper: Tensor, questions: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """The upper layers."""
        length, (count, longest) = len(paper), mask.shape
        # Padding takes no part but in the attention, which needs a rectangle.
        kept = mask.flatten().nonzero()[:, 0]
        words = questions.flatten(0, 1)[kept]

        def rectangle(x: Tensor) -> Tensor:
            whole = x.new_zeros(count * longest, x.shape[-1])
            return whole.index_copy(0, kept, x).view(count, longest, -1)

        seen = torch.cat([torch.ones(count, length, dtype=torch.bool, device=mask.device), mask], 1)
        both = _additive(seen)[:, None, None]
        for layer in self.upper:
            assert isinstance(layer, _Layer)
            x = torch.cat([paper, words])
            query, key, value = layer.queries_keys_values(x)
            q, k, v = (layer.apart(one[:length]) for one in (query, key, value))
            attended = F.scaled_dot_product_attention(q[None], k[None], v[None])[0]
            asking, k2, v2 = (layer.apart(rectangle(one[length:])) for one in (query, key, value))
            keys = torch.cat([k.expand(count, -1, -1, -1), k2], 2)
            values = torch.cat([v.expand(count, -1, -1, -1), v2], 2)
            asked = F.scaled_dot_product_attention(asking, keys, values, attn_mask=both)
            flat = asked.transpose(1, 2).flatten(2).flatten(0, 1)[kept]
            x = layer.finish(x, torch.cat([attended.transpose(0, 1).flatten(1), flat]), _DROPOUT)
            paper, words = x[:length], x[length:]
        return paper, rectangle(words)

    def _compared(self, paper: Tensor, spans: list[tuple[int, int]], questions: Tensor, mask: Tensor) -> Logits:
        """Word by word beside each sentence."""
        words = mask.unsqueeze(-1)
        count = words.sum(1)
        mean = (questions * words).sum(1) / count
        sentences = torch.stack([paper[start:end].mean(0) for start, end in spans])
        near = F.normalize(self.of_question(mean), dim=1) @ F.normalize(self.of_sentence(sentences), dim=1).T
        p, q = self.project(paper), self.project(questions)
        alike = F.normalize(q, dim=-1) @ F.normalize(p, dim=-1).T
        best = alike.amax(-1, keepdim=True)
        anywhere = torch.softmax(self.sharpness * alike, -1) @ p * q
        rows = []
        for start, end in spans:
            here = alike[..., start:end]
            has = torch.softmax(self.sharpness * here, -1) @ p[start:end]
            rows.append(torch.cat([q, has, (q - has).abs(), q * has, anywhere, here.amax(-1, keepdim=True), best], -1))
        compared = self.compare(torch.stack(rows, 1))  # questions, sentences, words, size
        hidden = ~words[:, None]
        share = torch.softmax(self.attend(compared).masked_fill(hidden, _NEVER), 2)
        most = compared.masked_fill(hidden, _NEVER).amax(2)
        each = self.sentence(torch.cat([(share * compared).sum(2), most, near.unsqueeze(-1)], -1))
        points = self.temperature * near + self.point(each).squeeze(-1)
        pointed = (torch.softmax(points, 1).unsqueeze(-1) * each).sum(1)
        figures = [near.amax(1), (best * words).sum((1, 2)) / count[:, 0], best.masked_fill(~words, 1.0).amin((1, 2))]
        first = self.reduce(questions[:, 0])
        whole = torch.cat([first, self.reduce(mean), pointed, each.amax(1), torch.stack(figures, 1)], 1)
        return Logits(self.decide(whole), points)


def _additive(mask: Tensor) -> Tensor:
    """0 where `mask`, hardly any attention elsewhere."""
    return torch.zeros(mask.shape, device=mask.device).masked_fill(~mask, _NEVER)
