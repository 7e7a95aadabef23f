"""The subject of the command that raises the level of a partition. No app reaches it, and no edge may write to it."""

from typing import Final

from bus.subjects import Address, command_subject, log_subject, log_subjects_of_verb

RAISE_VERB: Final = "raise_level"
"""The verb of that command: `schemas.levels.RaiseLevel`."""


def raise_command_subject(partition: int) -> str:
    """Address the log of a partition, past the mapping: with a message about nobody."""
    return log_subject(partition, "_", "_admin", RAISE_VERB)


def is_raise(address: Address) -> bool:
    return address.verb == RAISE_VERB and address.user == "_" and address.app == "_admin"


def all_raise_subjects() -> list[str]:
    """Match it whoever speaks, before and after the mapping."""
    return [command_subject("*", "*", RAISE_VERB), log_subjects_of_verb(RAISE_VERB)]
