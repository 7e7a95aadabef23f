"""What the activity sensor says on the bus is what llum understands."""

import msgspec
import pytest

from schemas.apps import ADMIN_APP, OWNER_APP
from schemas.codec import decode_command
from schemas.commands import MakeContext, MakeModel, Tell
from schemas.errors import Refusal
from sensors.activity.messages import APP, installing, telling
from sensors.activity.states import ACTIVE, Observation
from tests.model.applying import apply


def test_the_sensor_can_be_installed_again():
    """What is there stays; each command has an id of its own."""
    first, again = installing(), installing()
    assert first.only_new
    assert first.id != again.id
    assert msgspec.structs.replace(again, id=first.id) == first


def test_what_is_delivered_late_is_not_what_is_so_now():
    """Its component goes by when it held."""
    (component,) = installing().contexts[-1].components
    assert component.definition.resolver == "latest_held"


def test_a_telling_is_implicit_evidence_with_its_time():
    entry = telling("alice", "activity_monitor", Observation(ACTIVE, 12.5))
    command = decode_command(entry.payload, entry.verb)
    assert isinstance(command, Tell)
    assert (entry.user, entry.app) == ("alice", "activity_monitor")
    assert (command.context, command.component) == (["Devices", "activity_monitor", "activity"], "data")
    evidence = command.evidence
    assert (evidence.value, evidence.time, evidence.evidence_type) == (1, 12.5, "implicit")


def test_the_sensor_needs_no_more_than_to_tell_in_its_own_context():
    """Once the owner has registered it, made its places and let it tell there, nothing that it says is refused."""
    model = apply(None, "alice", ADMIN_APP, MakeModel(id="make"), 1, 1).model
    assert apply(model, "alice", OWNER_APP, installing(), 2, 2).changes
    assert not apply(model, "alice", OWNER_APP, installing(), 3, 3).changes, "what is repeated changes nothing"
    told = telling("alice", APP, Observation(ACTIVE, 12.5))
    assert apply(model, "alice", told.app, decode_command(told.payload, told.verb), 20, 20).changes
    with pytest.raises(Refusal):
        apply(model, "alice", APP, MakeContext(id="c", context=["Devices"], name="more"), 21, 21)
