"""What the log sensor says on the bus is what llum understands, and what log-llum says, too."""

import pytest
from log_llum import things

from schemas.apps import ADMIN_APP, OWNER_APP
from schemas.codec import decode_command
from schemas.commands import MakeContext, MakeModel, Tell
from schemas.errors import Refusal
from sensors.log.messages import APP, COMPONENT, CONTEXT, ITEMS, installing, telling
from tests.model.applying import apply


def told(*items: str, time: float = 12.5) -> list[Tell]:
    commands = [decode_command(entry.payload, entry.verb) for entry in telling("alice", items, time)]
    assert all(isinstance(command, Tell) for command in commands)
    return commands  # type: ignore[return-value]


def test_it_tells_what_the_web_app_tells() -> None:
    """The same things, in the same place: neither imports the other."""
    assert (things.CONTEXT, things.COMPONENT, tuple(things.LABELS)) == (CONTEXT, COMPONENT, ITEMS)
    (tell,) = told("apple")
    assert (tell.context, tell.component) == (list(CONTEXT), COMPONENT)
    assert (tell.evidence.value, tell.evidence.evidence_type, tell.evidence.time) == ("apple", "explicit", 12.5)


def test_the_same_at_the_same_time_is_the_same_message() -> None:
    """So it is logged once, however often it is sent; two apples in one go are two."""
    assert told("apple", "apple") == told("apple", "apple")
    others = [*told("apple", "apple", "water"), *told("apple", time=12.6)]
    assert len({tell.id for tell in others}) == 4


def test_it_needs_no_more_than_to_tell_in_its_place() -> None:
    """Once the owner has installed it nothing that it says is refused."""
    model = apply(None, "alice", ADMIN_APP, MakeModel(id="make"), 1, 1).model
    assert apply(model, "alice", OWNER_APP, installing(), 2, 2).changes
    assert not apply(model, "alice", OWNER_APP, installing(), 3, 3).changes, "what is repeated changes nothing"
    (tell,) = told("apple")
    assert apply(model, "alice", APP, tell, 20, 20).changes
    with pytest.raises(Refusal):
        apply(model, "alice", APP, MakeContext(id="c", context=["Apps"], name="more"), 21, 21)
