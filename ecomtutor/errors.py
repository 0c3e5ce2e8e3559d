"""One way to be wrong: every error of the package says what came, what was expected, what to do."""


class EcomTutorError(ValueError):
    """Base of all errors raised by ecomtutor; also a `ValueError`, so ordinary `except` works."""


class MissingResource(EcomTutorError, FileNotFoundError):
    """A model, data set or file is not on this machine, or cannot be brought here."""

    def __str__(self) -> str:
        # FileNotFoundError would otherwise show its (errno, strerror) pair.
        return str(self.args[0]) if self.args else ""


class DamagedResource(EcomTutorError):
    """A file arrived or lies here with bytes other than the ones that the catalogue promises."""
