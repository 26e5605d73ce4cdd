"""How likely a text is after each of several contexts, by the logits of a llama.cpp model.

The query likelihood of Ponte & Croft (1998) with a language model for each paper; as a rerank, Sachan et al. (2022).
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt


def mean_log_likelihoods(
    llama: Any, contexts: Sequence[Sequence[int]], text: Sequence[int], stopped: Callable[[], bool]
) -> list[float]:
    """The mean natural log-probability of the tokens `text` after each of `contexts`, none of which may be empty.

    `text` must fit one batch of the model, with a context its window. What the model has read before is forgotten.
    Empty if `stopped` before the end.
    """
    found = []
    for context in contexts:
        llama.reset()
        for start in range(0, len(context) - 1, llama.n_batch):
            if stopped():
                return []
            llama.eval(list(context[start : min(start + llama.n_batch, len(context) - 1)]))
        rows = _logits(llama, [context[-1], *text[:-1]])
        found.append(float(np.mean([_log_softmax(row)[token] for row, token in zip(rows, text, strict=True)])))
    return found


def _logits(llama: Any, tokens: Sequence[int]) -> npt.NDArray[np.float32]:
    """The logits after each of `tokens`, shape (tokens, vocabulary). They are the model's until it reads on."""
    llama._ctx.kv_cache_seq_rm(-1, llama.n_tokens, -1)
    llama._batch.set_batch(batch=tokens, n_past=llama.n_tokens, logits_all=True)
    llama._ctx.decode(llama._batch)
    size = llama.n_vocab()
    flat = np.ctypeslib.as_array(llama._ctx.get_logits(), shape=(len(tokens) * size,))
    return np.asarray(flat, dtype=np.float32).reshape(len(tokens), size)


def _log_softmax(row: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    above = row.astype(np.float64) - row.max()
    return np.asarray(above - np.log(np.exp(above).sum()))
