"""What the activity sensor says on the bus."""

from typing import Final

from bus.as_app import new_id
from schemas.commands import Command, MakeComponent, MakeContext, Tell
from schemas.definitions import ComponentDefinition
from schemas.evidence import NewEvidence
from sensors.activity.states import Observation
from sensors.spool import Entry

APP: Final = "activity_monitor"
"""The app that the sensor speaks as."""

CONTEXT: Final = ("Devices", "activity_monitor", "activity")
COMPONENT: Final = "data"

DESCRIPTION: Final = "Tells when you become active at a computer, and when idle."
"""What the owner is told of the app."""


def places() -> list[Command]:
    """Give what the owner makes before the sensor may tell. What is there already stays as it is."""
    return [
        _context((), CONTEXT[0], "What your devices have observed."),
        _context(CONTEXT[:1], CONTEXT[1], "Whether you are at a computer."),
        _context(CONTEXT[:2], CONTEXT[2], "Your activity at the keyboard and the mouse."),
        MakeComponent(id=new_id(), context=list(CONTEXT), component=_definition(), exist_ok=True),
    ]


def telling(user: str, app: str, what: Observation) -> Entry:
    """Give the message for a telling.

    Its evidence type is `implicit`: concluded from what the person does, without their saying so. (`exmachina` is
    for what a system has told the person.)
    """
    evidence = NewEvidence(value=what.value, evidence_type="implicit", time=what.time)
    return Entry.of(user, app, Tell(id=new_id(), context=list(CONTEXT), component=COMPONENT, evidence=evidence))


def _context(parent: tuple[str, ...], name: str, description: str) -> MakeContext:
    return MakeContext(id=new_id(), context=list(parent), name=name, description=description, exist_ok=True)


def _definition() -> ComponentDefinition:
    return ComponentDefinition(
        name=COMPONENT,
        description="1: you became active; 0: you became idle; -1: the sensor was shut down.",
        component_type="activity",
        value_type="number",
    )
