"""Which verb a message has."""

from typing import Any


def verb_of(message: Any) -> str:
    """Give the verb of a command or query, or of its class: what its subject ends with."""
    return str(message.__struct_config__.tag)
