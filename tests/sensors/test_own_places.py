"""A sensor that a person lets in by themselves makes its own place, with no more than it has asked for."""

from types import ModuleType

import pytest

from identity.new_people import default_model
from schemas.apps import ADMIN_APP, OWNER_APP
from schemas.codec import decode_command
from schemas.commands import MakeContext, MakeModel, Tell
from schemas.errors import Refusal
from schemas.evidence import NewEvidence
from schemas.grants import Consent
from sensors.activity import messages as activity
from sensors.granted import may_tell
from sensors.log import messages as log
from sensors.spool import Entry
from tests.model.applying import apply


@pytest.mark.parametrize(("messages", "value"), [(activity, 1), (log, "apple")])
def test_what_a_sensor_asks_for_is_enough_and_no_more(messages: ModuleType, value: int | str) -> None:
    """In a model as people have it at first. Again it changes nothing, and beside its place it may make nothing."""
    app, context, component = messages.APP, list(messages.CONTEXT), messages.COMPONENT
    definition = default_model("alice")
    model = apply(None, "alice", ADMIN_APP, MakeModel(id="make", definition=definition), 1, 1).model
    grant = Consent(id="grant", app=app, decision="allowed", granted=[messages.WANTED], name="Sensor")
    assert apply(model, "alice", OWNER_APP, grant, 2, 2).changes
    assert may_tell([messages.WANTED], messages.CONTEXT, component)
    for seq, command in enumerate(messages.making(), 3):
        assert apply(model, "alice", app, command, seq, seq).changes
    for seq, command in enumerate(messages.making(), 13):
        assert not apply(model, "alice", app, command, seq, seq).changes
    evidence = NewEvidence(value=value)
    told = Entry.of("alice", app, Tell(id="t", context=context, component=component, evidence=evidence))
    assert apply(model, "alice", app, decode_command(told.payload, told.verb), 20, 20).changes
    with pytest.raises(Refusal):
        apply(model, "alice", app, MakeContext(id="c", context=context[:1], name="more"), 21, 21)
