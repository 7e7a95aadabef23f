"""A sensor whose person narrows what it may do: it waits with what it has, and sends that once it may again."""

from typing import Any

import pytest

from schemas.codec import decode_command
from schemas.commands import Tell
from schemas.errors import Code, Error, Refusal, Transient
from schemas.evidence import NewEvidence
from schemas.grants import GrantedApp, GrantsReply
from schemas.replies import Accepted, Outcome, Refused
from schemas.slices import Slice
from sensors.granted import PAUSE_S, GrantedWay, may_tell
from sensors.spool import Entry

PATH = ("Apps", "Logging")
HINT = "let it in again"
MAY = Slice(paths=["Apps/Logging"], actions=["tell"])


class Llum:
    """What the person has granted, and what the model says of each id: the first word is kept for ever."""

    def __init__(self, *slices: Slice) -> None:
        self.slices = list(slices)
        self.refuses: Code | None = None
        self.said: dict[str, Outcome] = {}

    async def ask(self, user: str, app: str, query: Any) -> GrantsReply:
        return GrantsReply(seq=1, apps=[GrantedApp(app=app, slices=self.slices)])

    async def send(self, user: str, app: str, command: Any) -> Outcome:
        known = self.said.get(command.id)
        if isinstance(known, Refused):
            return Refused(id=command.id, seq=1, error=known.error, repeated=True)
        said: Outcome = Accepted(id=command.id, seq=1)
        if self.refuses is not None:
            said = Refused(id=command.id, seq=1, error=Error(self.refuses, "no"))
        self.said[command.id] = said
        return said


class Sensor:
    """One that has one thing to say."""

    def __init__(self, llum: Llum) -> None:
        self.now = 1000.0
        self._llum: Any = llum
        self._granted = GrantedWay(PATH, "logged_items", HINT, lambda: self.now)
        tell = Tell(id="one", context=list(PATH), component="logged_items", evidence=NewEvidence(value="apple"))
        self._entry = Entry.of("alice", "log_sensor", tell)
        assert decode_command(self._entry.payload, self._entry.verb) == tell

    async def store(self) -> None:
        await self._granted.store(self._llum, self._entry)

    async def waits(self) -> None:
        with pytest.raises(Transient) as waiting:
            await self.store()
        assert (waiting.value.code, waiting.value.hint) == (Code.PERMISSION_DENIED, HINT)


async def test_what_is_granted_is_sent_under_its_own_id() -> None:
    """So what was sent before a crash counts once."""
    llum = Llum(MAY)
    await Sensor(llum).store()
    assert list(llum.said) == ["one"]


async def test_what_is_not_granted_is_not_sent() -> None:
    """It would leave a refusal in the person's log at each attempt. It goes once they have granted it again."""
    llum = Llum()
    sensor = Sensor(llum)
    await sensor.waits()
    assert llum.said == {}
    llum.slices = [MAY]
    await sensor.store()
    assert list(llum.said) == ["one"]


@pytest.mark.parametrize("code", [Code.PERMISSION_DENIED, Code.NO_SUCH_COMPONENT])
async def test_what_the_model_refuses_all_the_same_is_sent_under_another_id(code: Code) -> None:
    """After a pause: the person may have changed their mind in between, or deleted the place."""
    llum = Llum(MAY)
    llum.refuses, sensor = code, Sensor(llum)
    await sensor.waits()
    llum.refuses = None
    await sensor.waits()
    assert list(llum.said) == ["one"], "the pause is not over"
    sensor.now += PAUSE_S
    await sensor.store()
    assert list(llum.said) == ["one", "one.1"]


async def test_a_new_process_finds_the_next_id() -> None:
    """It knows nothing of what was refused before."""
    llum = Llum(MAY)
    llum.refuses = Code.PERMISSION_DENIED
    await Sensor(llum).waits()
    await Sensor(llum).waits()
    llum.refuses = None
    await Sensor(llum).store()
    assert list(llum.said) == ["one", "one.1", "one.2"]


async def test_what_nobody_can_let_be_accepted_is_refused() -> None:
    """The publisher drops it, and says so: else all behind it would wait for ever."""
    llum = Llum(MAY)
    llum.refuses = Code.BAD_VALUE
    with pytest.raises(Refusal) as refused:
        await Sensor(llum).store()
    assert refused.value.code is Code.BAD_VALUE


@pytest.mark.parametrize(
    ("slices", "may"),
    [
        ([], False),
        ([Slice(paths=[""], actions=["tell"])], True),
        ([Slice(paths=["Apps"], actions=["ask", "make"])], False),
        ([Slice(paths=["Apps/Other"], actions=["tell"])], False),
        ([Slice(components=["Apps/Logging/logged_items"], actions=["tell"])], True),
        ([MAY, Slice(components=["Apps/Logging/logged_items"], denied=["tell"])], False),
        ([Slice(paths=["Apps"], denied=["tell"]), MAY], True),
        ([Slice(paths=["Apps/Logging"], actions=["tell"], whose_rules="bob")], False),
    ],
)
def test_the_nearest_slice_decides(slices: list[Slice], may: bool) -> None:
    """As in the model."""
    assert may_tell(slices, PATH, "logged_items") is may
