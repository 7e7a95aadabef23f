"""A sensor at an llum that somebody else runs: how it signs in, and what it says once that has ended."""

import json

import msgspec
import pytest

from identity.oauth.built_in import BUILT_IN
from llum.failures import Fault
from llum.oauth.keeping import Kept
from llum.oauth.signing_in import ask_person, keep_sign_in
from llum.oauth.wishes import Wish
from llum.people.remote_sensors import RemoteSensor
from schemas.errors import Code, Transient
from schemas.slices import Slice
from sensors.activity import messages as activity
from sensors.log import messages as log
from tests.llum.oauth.fake_llum import FakeLlum


@pytest.fixture(autouse=True)
def _quick(fake: FakeLlum) -> None:
    fake.interval_s = 0


def log_sensor(fake: FakeLlum, user: str = "alice") -> RemoteSensor:
    return RemoteSensor(log.APP, user, fake.url)


async def keep(sensor: RemoteSensor) -> None:
    """Have a sign-in of the sensor kept that is to be refreshed at once."""
    asked = await ask_person(sensor.url, sensor.app, Wish("x"), "device", sensor.user, lambda _: None)
    await keep_sign_in(Kept(), asked._replace(tokens=msgspec.structs.replace(asked.tokens, expires=0.0)))


@pytest.mark.parametrize("messages", [activity, log])
def test_each_sensor_is_a_client_that_every_llum_has(messages: object) -> None:
    """It signs in by a short code alone, and can never be an owner's app."""
    client = BUILT_IN[messages.APP]  # type: ignore[attr-defined]
    assert (client.is_public, client.redirect_uris, client.may_own) == (True, [], False)


async def test_it_asks_for_its_place_alone(fake: FakeLlum) -> None:
    """With a purpose. Where it may not tell, nothing is kept: it would be good for nothing."""
    with pytest.raises(Fault, match="alice does not let the sensor tell Apps/Logging/logged_items"):
        await log_sensor(fake).install("device", lambda _: None)
    assert fake.forms[0]["client_id"] == "log_sensor"
    (wanted,) = msgspec.json.decode(fake.forms[0]["authorization_details"], type=list[Slice])
    assert (wanted.paths, wanted.actions, bool(wanted.purpose)) == (["Apps/Logging"], ["tell", "make"], True)
    assert "owner" not in json.dumps(fake.forms)
    assert fake.calls["revoke"] == 1
    assert list(Kept().all()) == []


async def test_it_speaks_for_nobody_but_whom_it_was_told(fake: FakeLlum) -> None:
    """Whoever is signed in in the browser decides: if that is another person, nothing is kept."""
    with pytest.raises(Fault, match="alice has decided in the browser, and not bob"):
        await log_sensor(fake, "bob").install("device", lambda _: None)
    assert fake.calls["revoke"] == 1
    assert list(Kept().all()) == []


async def test_once_its_sign_in_has_ended_it_waits_and_says_what_to_do(fake: FakeLlum) -> None:
    """At each attempt to connect, also when it no longer has a sign-in at all."""
    sensor = log_sensor(fake)
    await keep(sensor)
    fake.ended = True
    for _ in range(2):
        with pytest.raises(Transient) as waiting:
            async with sensor.connect()():
                pass
        assert waiting.value.code is Code.NOT_AUTHENTICATED
        assert f"`llum sensor log alice --at {fake.url} --install`" in (waiting.value.hint or "")
    assert sensor.find() is None


async def test_each_has_its_own_sign_in_and_spool(fake: FakeLlum) -> None:
    """One for each llum, person and sensor: what is meant for one never goes to another."""
    sensor = log_sensor(fake)
    await keep(sensor)
    others = [
        RemoteSensor(activity.APP, "alice", fake.url),
        RemoteSensor(log.APP, "bob", fake.url),
        RemoteSensor(log.APP, "alice", "https://elsewhere.example"),
    ]
    assert sensor.find() is not None
    assert [other.find() for other in others] == [None, None, None]
    assert len({one.spool_folder for one in (sensor, *others)}) == 4
