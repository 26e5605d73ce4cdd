"""How long an answer takes, by its steps."""

import time


class Clock:
    """Seconds of each step of an answer."""

    def __init__(self) -> None:
        self._start = self._last = time.perf_counter()
        self._times: dict[str, float] = {}

    def lap(self, name: str) -> None:
        """The time since the last lap was for `name`, too."""
        now = time.perf_counter()
        self._times[name] = self._times.get(name, 0.0) + now - self._last
        self._last = now

    def mark(self, name: str) -> None:
        """What happened first just now, since the start."""
        self._times.setdefault(name, time.perf_counter() - self._start)

    def finish(self) -> dict[str, float]:
        """All of it, and the total."""
        return {**self._times, "total": time.perf_counter() - self._start}
