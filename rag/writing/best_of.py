"""Best of several drafts: each written with the next seed, ranked by what the check found, the best one shown."""

from collections.abc import Iterator
from dataclasses import replace

from rag.drafting import Draft
from rag.records import Checked, Drafting
from rag.writing.writer import Task, Writer, WriterEvent


class BestOf:
    """Makes `count` drafts with another writer. The first wins where several are as good (see `Draft.rank`)."""

    samples = True

    def __init__(self, writer: Writer, count: int) -> None:
        self.name = writer.name
        self.prompt = writer.prompt
        self.most_evidence = writer.most_evidence
        self._writer = writer
        self._count = count

    def write(self, task: Task) -> Iterator[WriterEvent]:
        """Write all drafts, which show as work in progress, then the claims of the best, which replaces the task's."""
        blank, seed = task.draft, task.sampling.seed
        drafts: list[Draft] = []
        for number in range(self._count):
            yield Drafting(number + 1, self._count)
            draft = blank.blank()
            one = replace(task, draft=draft, sampling=replace(task.sampling, seed=seed + number))
            for event in self._writer.write(one):
                if not isinstance(event, Checked):
                    yield event
                elif event.claim is None or event.rest:
                    # The sentence in work ends, what follows it begins.
                    yield Checked(None, event.rest)
            if task.cancel.is_set() and drafts:
                break  # A draft that was stopped may look better than it would have become.
            drafts.append(draft)
            if task.cancel.is_set():
                break
        task.draft = max(drafts, key=Draft.rank)
        for claim in task.draft.claims:
            yield Checked(claim)
