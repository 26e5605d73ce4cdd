"""The llama.cpp adapter: messages + grammar -> streamed text, on one thread that owns the model.

llama.cpp keeps what it read last, and reading is the slow part on a CPU. The leading system message is read once and
kept; what follows it is read again for every question, always in the same pieces, so that an answer does not depend
on the questions before it.
"""

import os
import queue
import re
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import llama_cpp
from llama_cpp import Llama, LlamaGrammar, LogitsProcessorList
from llama_cpp.llama_chat_format import Jinja2ChatFormatter

from rag.control import CONTROL_PATTERN
from rag.errors import ModelError, UsageError
from rag.likelihood import mean_log_likelihoods
from rag.llm_jobs import Call, Job
from rag.records import Message, Reading, Sampling, Token

_PIECE = 128  # tokens read between two looks at the stop button
_CHATML = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + "
    "'\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
_CUE = 24  # tokens at the end of a context that are kept where it is too long
_POLL = 0.2  # seconds between two looks at the stop button while another request is served


def physical_cores() -> int:
    """Cores that this process may use, hyperthreads counted once where the system tells them apart."""
    usable = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
    cores = set()
    for cpu in usable:
        siblings = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
        try:
            cores.add(siblings.read_text().strip())
        except OSError:
            return max(1, len(usable))
    return max(1, len(cores))


def gpu_offload() -> bool:
    """Whether this build of llama.cpp can put layers on a GPU."""
    return bool(llama_cpp.llama_supports_gpu_offload())


def _build_info() -> str:
    """What this build of llama.cpp was made for: instruction sets and back ends."""
    return " ".join(llama_cpp.llama_print_system_info().decode().split())


class LlamaModel:
    """A GGUF model. Requests are served one after the other; each can be cancelled, also while it waits."""

    def __init__(
        self,
        path: Path,
        *,
        context_tokens: int,
        threads: int = 0,
        gpu_layers: int = -1,
        sampling: Sampling | None = None,
    ) -> None:
        """Load the model; `sampling` is what holds where a request brings none. Raises ModelError if it cannot be."""
        count = threads or physical_cores()
        try:
            self._llama = Llama(
                str(path),
                n_ctx=context_tokens,
                n_threads=count,
                n_threads_batch=count,
                n_gpu_layers=gpu_layers,
                n_batch=_PIECE,
                verbose=False,
            )
        except (ValueError, OSError, RuntimeError) as error:
            raise ModelError(
                f"language model {path.name!r} cannot be loaded ({error}). Use another GGUF file, or 'bundled'."
            ) from error
        self.name = path.name
        self.threads = count
        self.build = _build_info()
        # llama.cpp rounds the context up, its Python binding keeps room for what was asked.
        self.context_tokens = min(int(self._llama.n_ctx()), len(self._llama.input_ids))
        self.parameters = int(llama_cpp.llama_model_n_params(self._llama._model.model))
        self._sampling = sampling or Sampling()
        # Beside what is common, the control tokens of the model's own vocabulary.
        self._control = re.compile("|".join([CONTROL_PATTERN, *map(re.escape, self._control_tokens())]))
        self._render = {answer: self._formatter(answer) for answer in (True, False)}
        self._has_system = self._takes_system()
        # Recurrent models cannot forget what came after the head: they read all of it each time.
        self._can_go_back = not (self._llama._is_recurrent or self._llama._is_hybrid)
        self._kept: list[int] = []
        self._begins: dict[str, set[int]] = {}
        # The last prompt, where all of it has been read: asked once more, nothing of it is read again.
        self._last: list[int] = []
        self._closing = threading.Event()
        self._jobs: queue.Queue[Job | Call | None] = queue.Queue()
        self._worker = threading.Thread(target=self._work, name="llama", daemon=True)
        self._worker.start()

    def _formatter(self, answer: bool) -> Jinja2ChatFormatter:
        metadata = self._llama.metadata

        def token(name: str) -> str:
            ids = metadata.get(f"tokenizer.ggml.{name}_token_id")
            return self._llama.detokenize([int(ids)], special=True).decode(errors="replace") if ids else ""

        return Jinja2ChatFormatter(
            template=metadata.get("tokenizer.chat_template") or _CHATML,
            eos_token=token("eos"),
            bos_token=token("bos"),
            add_generation_prompt=answer,
        )

    def _tokens(self, messages: Sequence[Message], *, answer: bool = True) -> list[int]:
        if not self._has_system:
            messages = _without_system(messages)
        given = [{"role": message.role, "content": self.plain(message.content)} for message in messages]
        try:
            prompt = self._render[answer](messages=given).prompt
        except Exception as error:
            raise ModelError(
                f"the chat template of {self.name!r} refuses a plain question ({error}). Use another GGUF file."
            ) from error
        return list(self._llama.tokenize(prompt.encode(errors="replace"), add_bos=False, special=True))

    def _control_tokens(self) -> list[str]:
        """Control tokens of the model's vocabulary, longest first. Papers and questions must not hold any."""
        special = (
            llama_cpp.LLAMA_TOKEN_ATTR_CONTROL
            | llama_cpp.LLAMA_TOKEN_ATTR_USER_DEFINED
            | llama_cpp.LLAMA_TOKEN_ATTR_UNKNOWN
        )
        found = []
        for token in range(self._llama.n_vocab()):
            if llama_cpp.llama_vocab_get_attr(self._vocab(), token) & special:
                text = self._llama.detokenize([token], special=True).decode(errors="replace")
                # Some vocabularies define runs of spaces or digits as tokens of their own: those are plain text.
                if re.search(r"[<\[|\uff5c]", text) and len(text) > 2:
                    found.append(text)
        return sorted(found, key=len, reverse=True)

    def _takes_system(self) -> bool:
        """Whether the model's template knows system messages; some refuse them."""
        try:
            self._render[True](messages=[{"role": "system", "content": "a"}, {"role": "user", "content": "b"}])
        except Exception:
            return False
        return True

    def plain(self, text: str) -> str:
        """`text` without what the chat template or the tokenizer would read as control tokens."""
        return self._control.sub(" ", text)

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Tokens of the prompt that `messages` make."""
        return len(self._tokens(messages))

    def stream(
        self,
        messages: Sequence[Message],
        *,
        grammar: str,
        max_tokens: int,
        cancel: threading.Event,
        sampling: Sampling | None = None,
        bias: Mapping[str, float] | None = None,
    ) -> Generator[Reading | Token, None, None]:
        """Read the prompt, then write until the grammar is complete, `max_tokens` are written or `cancel` is set.

        Without a grammar (""), until the model comes to its end. `bias` is added to the logits of the tokens that a
        text may begin with, where the answer begins. Raises UsageError if prompt and answer do not fit the context
        together.
        """
        tokens = self._tokens(messages)
        if len(tokens) + max_tokens > self.context_tokens:
            raise UsageError(
                f"the prompt has {len(tokens)} tokens and the answer may have {max_tokens}, but the context holds "
                f"{self.context_tokens}. Ask a shorter question, or raise context_tokens."
            )
        head = self._head(messages)
        favoured = {token: more for text, more in (bias or {}).items() for token in self._beginnings(text)}
        job = Job(tokens, head, grammar, max_tokens, cancel, self._closing, sampling or self._sampling, favoured)
        self._jobs.put(job)
        try:
            while True:
                try:
                    item = job.output.get(timeout=_POLL)
                except queue.Empty:
                    if job.stopped() and not job.started:
                        return
                    continue
                if item is None:
                    return
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            # The consumer is gone or done: the worker must not write on for nobody.
            job.abandoned.set()

    def likelihoods(self, contexts: Sequence[str], text: str, cancel: threading.Event) -> list[float]:
        """The mean natural log-probability of a token of `text` after each of `contexts`, without a chat template.

        Of a long text its first tokens count; a long context is cut before its last words. Empty if `cancel` was set
        meanwhile, or nothing is left of `text`.
        """
        if self._closing.is_set():
            raise ModelError(f"{self.name} has been closed.")
        tokens = self._llama.tokenize(self.plain(text).encode(errors="replace"), add_bos=False)[: _PIECE - 1]
        if not tokens:
            return []
        room = self.context_tokens - len(tokens) - 1
        heads = [self._llama.tokenize(self.plain(one).encode(errors="replace")) for one in contexts]
        # What leads over to the text stands at the end.
        heads = [head if len(head) <= room else head[: room - _CUE] + head[-_CUE:] for head in heads]
        call = Call(lambda: mean_log_likelihoods(self._llama, heads, tokens, call.stopped), cancel, self._closing)
        self._jobs.put(call)
        while True:
            try:
                found = call.output.get(timeout=_POLL)
            except queue.Empty:
                if self._closing.is_set():
                    raise ModelError(f"{self.name} has been closed.") from None
                if call.stopped():
                    return []
                continue
            if isinstance(found, BaseException):
                raise ModelError(f"{self.name} cannot order papers ({found}). Set rerank_papers to 0.") from found
            return found

    def _beginnings(self, text: str) -> set[int]:
        """The tokens that `text` may begin with."""
        if text not in self._begins:
            pieces = ((token, self._llama.detokenize([token])) for token in range(self._llama.n_vocab()))
            self._begins[text] = {token for token, piece in pieces if piece and text.encode().startswith(piece)}
        return self._begins[text]

    def _head(self, messages: Sequence[Message]) -> list[int]:
        """Tokens of the system message alone, which are kept between questions; empty where there is no such thing."""
        if len(messages) < 2 or not self._has_system:
            return []
        try:
            return self._tokens(messages[:1], answer=False)
        except ModelError:
            # Some templates insist on a user message: they are read whole each time.
            return []

    def close(self) -> None:
        """Stop the current request, end those that wait, and free the model."""
        self._closing.set()
        self._jobs.put(None)
        self._worker.join()
        self._llama.close()

    # -- on the worker thread ------------------------------------------------------------------------------------

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            if isinstance(job, Call):
                self._kept, self._last = [], []
                job.run()
                self._llama.reset()
                continue
            job.started = True
            try:
                for item in self._run(job):
                    job.output.put(item)
                job.output.put(None)
            except BaseException as error:
                self._kept, self._last = [], []
                self._llama.reset()
                job.output.put(error)

    def _run(self, job: "Job") -> Iterator[Reading | Token]:
        if job.stopped():
            return
        llama = self._llama
        if self._can_go_back and job.tokens == self._last:
            llama.n_tokens = len(job.tokens) - 1
            yield from self._write(job)
            return
        self._last = []
        head = job.head if job.tokens[: len(job.head)] == job.head else []
        if head != self._kept or not head or not self._can_go_back:
            llama.reset()
            self._kept = []
            for start in range(0, len(head), _PIECE):
                llama.eval(head[start : start + _PIECE])
            self._kept = head
        # Everything behind the kept head is dropped; `eval` clears the cache from n_tokens on.
        llama.n_tokens = len(head)
        rest = job.tokens[len(head) :]
        yield Reading(0, len(rest))
        for start in range(0, len(rest) - 1, _PIECE):
            if job.stopped():
                return
            llama.eval(rest[start : min(start + _PIECE, len(rest) - 1)])
            yield Reading(min(start + _PIECE, len(rest)), len(rest))
        self._last = job.tokens
        yield from self._write(job)

    def _write(self, job: "Job") -> Iterator[Token]:
        self._llama.set_seed(job.sampling.seed)
        pending = b""
        generated = self._llama.generate(
            job.tokens, temp=job.sampling.temperature, top_k=40, top_p=0.95, min_p=0.05,
            grammar=LlamaGrammar.from_string(job.grammar, verbose=False) if job.grammar else None,
            logits_processor=LogitsProcessorList([job.at_the_beginning]) if job.bias else None,
        )  # fmt: skip
        for written, token in enumerate(generated, start=1):
            if job.stopped() or llama_cpp.llama_vocab_is_eog(self._vocab(), token):
                break
            pending += self._llama.detokenize([token])
            text = pending.decode("utf-8", errors="ignore")
            # A character split over two tokens waits for its other half.
            if text.encode() == pending:
                pending = b""
            else:
                text = ""
            yield Token(text)
            if written >= job.max_tokens:
                break
        generated.close()

    def _vocab(self) -> Any:
        return self._llama._model.vocab


def _without_system(messages: Sequence[Message]) -> list[Message]:
    """Messages for a template without a system role: its text goes in front of the first user message."""
    system = "\n\n".join(m.content for m in messages if m.role == "system")
    rest = [m for m in messages if m.role != "system"]
    if not system or not rest:
        return list(messages) if not system else [Message("user", system)]
    return [Message(rest[0].role, f"{system}\n\n{rest[0].content}"), *rest[1:]]
