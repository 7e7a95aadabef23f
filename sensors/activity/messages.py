"""What the activity sensor says on the bus."""

from typing import Final

from bus.as_app import new_id
from schemas.commands import Command, Import, Tell
from schemas.definitions import ComponentDefinition
from schemas.evidence import NewEvidence
from schemas.slices import Slice
from sensors.activity.states import Observation
from sensors.places import SensorPlace
from sensors.spool import Entry

APP: Final = "activity_monitor"
"""The app that the sensor speaks as."""

CONTEXT: Final = ("Devices", "activity_monitor", "activity")
COMPONENT: Final = "data"

DESCRIPTION: Final = "Tells when you become active at a computer, and when idle."
"""What the owner is told of the app."""

_PLACE: Final = SensorPlace(
    CONTEXT,
    (
        "What your devices have observed.",
        "Whether you are at a computer.",
        "Your activity at the keyboard and the mouse.",
    ),
    ComponentDefinition(
        name=COMPONENT,
        description="1: you became active; 0: you became idle; -1: the sensor was shut down.",
        component_type="activity",
        value_type="number",
        # What the spool delivers late is not what is so now.
        resolver="latest_held",
    ),
)

WANTED: Final = Slice(
    paths=["/".join(CONTEXT[:2])],
    actions=["tell", "make"],
    purpose="To write down when you become active at this computer, and when idle. It reads nothing.",
)
"""What the sensor asks the person for where it signs in by itself."""


def installing() -> Import:
    """Give what the owner sends before the sensor may tell. What is there already stays as it is."""
    return _PLACE.installing(APP, DESCRIPTION)


def making() -> list[Command]:
    """Give what the sensor itself sends to make its place, where the person lets it. What is there stays as it is."""
    return _PLACE.making()


def telling(user: str, app: str, what: Observation) -> Entry:
    """Give the message for a telling.

    Its evidence type is `implicit`: concluded from what the person does, without their saying so. (`exmachina` is
    for what a system has told the person.)
    """
    evidence = NewEvidence(value=what.value, evidence_type="implicit", time=what.time)
    return Entry.of(user, app, Tell(id=new_id(), context=list(CONTEXT), component=COMPONENT, evidence=evidence))
