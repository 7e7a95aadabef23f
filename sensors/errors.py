"""What can go wrong in a sensor that a person has to know of."""

from schemas.errors import Code, SetupError


class SensorError(SetupError):
    """The sensor cannot work as things are: a message that says why, and a hint at what to do."""

    CODE = Code.SENSOR


class SpoolFullError(SensorError):
    """The spool has reached its bound: what is in it stays, new entries are refused."""

    CODE = Code.SPOOL_FULL
