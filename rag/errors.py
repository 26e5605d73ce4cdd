"""The errors of Citable. Every message says what went wrong and what to do next, in one line."""


class CitableError(Exception):
    """Base of all errors that are told to the user as one line; `exit_code` is what the command line returns."""

    exit_code = 1


class UsageError(CitableError):
    """The request itself cannot be served: an empty question, a question longer than the context, a bad setting."""

    exit_code = 2


class InputError(CitableError):
    """A file is missing or holds nothing that can be read as papers."""

    exit_code = 3


class NoIndexError(CitableError):
    """There is no index yet, or it holds no papers."""

    exit_code = 4


class IndexMismatchError(CitableError):
    """The index was built with another embedding model, or its parts do not agree."""

    exit_code = 5


class ModelError(CitableError):
    """A model is unknown, missing, or cannot be loaded."""

    exit_code = 6


REINDEX = "Run: citable reindex (with the same --index)"


class IndexBusyError(CitableError):
    """Another Citable process owns the index."""

    exit_code = 7
