"""What can go wrong in a sensor that a person has to know of."""


class SensorError(Exception):
    """The sensor cannot work as things are: a message that says why, and a hint at what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class SpoolFullError(SensorError):
    """The spool has reached its bound: what is in it stays, new entries are refused."""
