"""What must be put right around nats-server before llum can work."""

from schemas.errors import Code, SetupError


class EmbeddedServerError(SetupError):
    """The embedded nats-server cannot start or has ended."""

    CODE = Code.NATS_SERVER


class InstallationError(SetupError):
    """The nats-server, or what an earlier llum left in it, does not fit."""

    CODE = Code.INSTALLATION


class LogTruncatedError(SetupError):
    """The log ends before what has been read from it: it was replaced or restored from an older copy."""

    CODE = Code.LOG_TRUNCATED
