"""`python -m eval.bench.llm`: Citable's language model adapter against raw llama.cpp, in one process.

Both read the same prompt and write the same number of tokens; the adapter also reads in pieces that can be stopped,
writes under the answer grammar and streams over a thread. Printed are tokens a second and the ratio of the medians.
Run it with other values of GOMP_SPINCOUNT, and beside a busy process, to see what waiting costs.
"""

import os
import statistics
import sys
import time
from threading import Event

import rag  # noqa: F401 - sets GOMP_SPINCOUNT before any library reads it
from rag.grammar import answer_grammar
from rag.llm import LlamaModel
from rag.models import llm_path
from rag.records import Message, Token

PROMPT = " ".join(f"Lake {n} lost its ice {n % 7} days earlier than in the year before." for n in range(20))
WRITE = 48
RUNS = 5


def raw(model: LlamaModel, tokens: list[int]) -> tuple[float, float]:
    """Seconds to read `tokens`, and to write WRITE tokens without a grammar, straight through llama.cpp."""
    llama = model._llama
    llama.reset()
    start = time.perf_counter()
    llama.eval(tokens)
    middle = time.perf_counter()
    for written, _ in enumerate(llama.generate(tokens, temp=0.0), start=1):
        if written >= WRITE:
            break
    return middle - start, time.perf_counter() - middle


def adapter(model: LlamaModel, messages: list[Message]) -> tuple[float, float, int]:
    """The same through the adapter: seconds to the first token, seconds from there, tokens written."""
    model._kept = []
    start = time.perf_counter()
    first, count = 0.0, 0
    for event in model.stream(messages, grammar=answer_grammar(20, 5), max_tokens=WRITE, cancel=Event()):
        if isinstance(event, Token):
            first = first or time.perf_counter()
            count += 1
    return first - start, time.perf_counter() - first, count


def main() -> None:
    """Measure in turn, raw and adapter, and print the medians."""
    model = LlamaModel(llm_path("bundled"), context_tokens=2048)
    messages = [Message("user", PROMPT)]
    tokens = model._tokens(messages)
    read: dict[str, list[float]] = {"raw": [], "adapter": []}
    written: dict[str, list[float]] = {"raw": [], "adapter": []}
    for _ in range(RUNS):
        seconds, writing = raw(model, tokens)
        read["raw"].append(len(tokens) / seconds)
        written["raw"].append(WRITE / writing)
        seconds, writing, count = adapter(model, messages)
        read["adapter"].append(len(tokens) / seconds)
        written["adapter"].append(count / writing)
    model.close()
    sys.stdout.write(f"GOMP_SPINCOUNT={os.environ.get('GOMP_SPINCOUNT')}, {len(tokens)} tokens read, {RUNS} runs\n")
    for name, rates in (("read", read), ("write", written)):
        one, other = statistics.median(rates["raw"]), statistics.median(rates["adapter"])
        sys.stdout.write(f"{name}: raw {one:.0f} tok/s, adapter {other:.0f} tok/s, ratio {other / one:.2f}\n")


if __name__ == "__main__":
    main()
