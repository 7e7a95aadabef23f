"""Why a measurement cannot be made."""


class BenchError(Exception):
    """What was to be measured did not do its work, so its figure would mean nothing."""
