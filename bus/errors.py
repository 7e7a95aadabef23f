"""Errors of setting up, for whoever runs llum. What callers of a running llum meet is in `schemas.errors`."""


class SetupError(Exception):
    """Something outside llum must be put right first: `message` says what is wrong, `hint` what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}: {self.hint}"


class EmbeddedServerError(SetupError):
    """The embedded nats-server cannot start or has ended."""


class InstallationError(SetupError):
    """The nats-server, or what an earlier llum left in it, does not fit."""


class LogTruncatedError(SetupError):
    """The log ends before what has been read from it: it was replaced or restored from an older copy."""
