"""What the activity sensor says on the bus."""

from typing import Final

from bus.as_app import new_id
from schemas.commands import Command, Import, MakeComponent, MakeContext, Tell
from schemas.definitions import ComponentDefinition, ImportedApp, ImportedComponent, ImportedContext
from schemas.evidence import NewEvidence
from schemas.permissions import Permission
from schemas.slices import Slice
from sensors.activity.states import Observation
from sensors.spool import Entry

APP: Final = "activity_monitor"
"""The app that the sensor speaks as."""

CONTEXT: Final = ("Devices", "activity_monitor", "activity")
COMPONENT: Final = "data"

_PLACES: Final = (
    "What your devices have observed.",
    "Whether you are at a computer.",
    "Your activity at the keyboard and the mouse.",
)
"""What each context of the path is for."""

DESCRIPTION: Final = "Tells when you become active at a computer, and when idle."
"""What the owner is told of the app."""

WANTED: Final = Slice(
    paths=["/".join(CONTEXT[:2])],
    actions=["tell", "make"],
    purpose="To write down when you become active at this computer, and when idle. It reads nothing.",
)
"""What the sensor asks the person for where it signs in by itself."""


def installing() -> Import:
    """Give what the owner sends before the sensor may tell. What is there already stays as it is."""
    only_tell = Permission(tell=True, make=False, delete=False, rules=False)
    contexts = [ImportedContext(path=list(CONTEXT[: n + 1]), description=about) for n, about in enumerate(_PLACES)]
    contexts[-1].permissions = {APP: only_tell}
    contexts[-1].components = [ImportedComponent(definition=_definition())]
    apps = {APP: ImportedApp(description=DESCRIPTION)}
    return Import(id=new_id(), context=[], contexts=contexts, apps=apps, only_new=True)


def making() -> list[Command]:
    """Give what the sensor itself sends to make its place, where the person lets it. What is there stays as it is."""
    contexts: list[Command] = [
        MakeContext(id=new_id(), context=list(CONTEXT[:n]), name=CONTEXT[n], description=_PLACES[n], exist_ok=True)
        for n in range(1, len(CONTEXT))
    ]
    return [*contexts, MakeComponent(id=new_id(), context=list(CONTEXT), component=_definition(), exist_ok=True)]


def telling(user: str, app: str, what: Observation) -> Entry:
    """Give the message for a telling.

    Its evidence type is `implicit`: concluded from what the person does, without their saying so. (`exmachina` is
    for what a system has told the person.)
    """
    evidence = NewEvidence(value=what.value, evidence_type="implicit", time=what.time)
    return Entry.of(user, app, Tell(id=new_id(), context=list(CONTEXT), component=COMPONENT, evidence=evidence))


def _definition() -> ComponentDefinition:
    return ComponentDefinition(
        name=COMPONENT,
        description="1: you became active; 0: you became idle; -1: the sensor was shut down.",
        component_type="activity",
        value_type="number",
        # What the spool delivers late is not what is so now.
        resolver="latest_held",
    )
