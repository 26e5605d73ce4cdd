"""`python -m rag.tryout [MODEL]`: read and write a little with a language model, in a process of its own.

A build of llama.cpp that was made for another processor, or by a compiler that erred, raises nothing: it kills the
process on first use. The Makefile and `citable doctor` run this to find out.
"""

import sys
from dataclasses import replace
from threading import Event

from rag.config import Config
from rag.grammar import answer_grammar
from rag.llm import gpu_offload, physical_cores
from rag.loading import load_llm
from rag.records import Message


def main(name: str) -> None:
    """Load the model called `name`, write eight tokens under a grammar, print what this build can use and its size."""
    model = load_llm(replace(Config(), llm=name, context_tokens=512))
    messages = [Message("system", "Be brief."), Message("user", "Say hello.")]
    list(model.stream(messages, grammar=answer_grammar(1), max_tokens=8, cancel=Event()))
    parameters = model.parameters
    model.close()
    offload = "available" if gpu_offload() else "not in this build"
    sys.stdout.write(f"GPU offload {offload}; {physical_cores()} CPU cores\n{parameters} parameters\n")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "bundled")
