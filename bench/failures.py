"""Why a measurement cannot be made."""


class BenchError(Exception):
    """What was to be measured did not do its work, so its figure would mean nothing."""


class NotMeasurableError(BenchError):
    """Something is not there that only this measurement needs; the others can be made."""
