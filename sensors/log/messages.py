"""What the log sensor says on the bus: the same as the web app log-llum, in the same place."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Final

from schemas.commands import Command, Import, Tell
from schemas.definitions import ComponentDefinition
from schemas.evidence import NewEvidence
from schemas.slices import Slice
from sensors.places import SensorPlace
from sensors.spool import Entry

APP: Final = "log_sensor"
"""The app that the sensor speaks as."""

CONTEXT: Final = ("Apps", "Logging")
COMPONENT: Final = "logged_items"

ITEMS: Final = ("apple", "bread", "water", "coffee", "walk", "book", "sleep", "smile")
"""What can be logged."""

DESCRIPTION: Final = "Writes down what you log at this machine."
"""What the owner is told of the app."""

_PLACE: Final = SensorPlace(
    CONTEXT,
    ("What apps keep for themselves.", "What you have logged"),
    ComponentDefinition(
        name=COMPONENT,
        description="Each thing, when you logged it",
        component_type="activity",
        value_type="enum",
        value_list=list(ITEMS),
    ),
)

WANTED: Final = Slice(
    paths=["/".join(CONTEXT)],
    actions=["tell", "make"],
    purpose="To write down what you log at this computer. It reads nothing.",
)
"""What the sensor asks the person for where it signs in by itself."""


def installing() -> Import:
    """Give what the owner sends before the sensor may tell. What is there already stays as it is."""
    return _PLACE.installing(APP, DESCRIPTION)


def making() -> list[Command]:
    """Give what the sensor itself sends to make its place, where the person lets it. What is there stays as it is."""
    return _PLACE.making()


def telling(user: str, items: Sequence[str], time: float) -> list[Entry]:
    """Give the messages for what was logged at one time (seconds since 1970).

    Their ids are made of what they say: whoever logs the same with the same time again logs it once.
    """
    seen: Counter[str] = Counter()
    entries = []
    for item in items:
        seen[item] += 1
        evidence = NewEvidence(value=item, evidence_type="explicit", time=time)
        command = Tell(
            id=_id(user, item, time, seen[item]), context=list(CONTEXT), component=COMPONENT, evidence=evidence
        )
        entries.append(Entry.of(user, APP, command))
    return entries


def _id(user: str, item: str, time: float, number: int) -> str:
    return hashlib.sha256(f"{user} {item} {time!r} {number}".encode()).hexdigest()[:32]
