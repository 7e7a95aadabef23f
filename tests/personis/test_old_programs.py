"""The original's own programs, unmodified as far as a server can see: log-llum, asker, the activity sensor."""

from collections.abc import Iterator

import pytest

from tests.edge_http.personis_client import PersonisClient
from tests.personis.conftest import Person
from tests.personis.old_programs import ACTIVITY, ITEMS, LOGGING, ActivitySensor, LogLlum, counted
from tests.personis.umbrowser import Umbrowser


@pytest.fixture(params=["owner", "app"])
def client(request: pytest.FixtureRequest, person: Person) -> Iterator[PersonisClient]:
    """As the original's programs had it, an owner's; and that of an app which may ask and tell, and no more."""
    if request.param == "owner":
        yield person.client
        return
    person.client.registerapp("old", "an old program", "secret")
    for context in ("Apps", "Devices", "Personal"):
        person.client.setpermission([context], app="old", permissions={"ask": True, "tell": True})
    client = PersonisClient(person.llum.http, person.llum.run("admin", "token", person.user, "--app", "old"))
    yield client
    client.close()


def test_log_llum_installs_itself_and_logs(client: PersonisClient, person: Person) -> None:
    """Once; the next start finds what the first has made."""
    program = LogLlum(client)
    assert program.installed
    for number, item in enumerate(("apple", "pear", "apple")):
        program.log(item, time=1000.0 + number)
    assert not LogLlum(client).installed
    assert program.greeting() == [None, None]
    (items,) = person.client.ask(LOGGING)
    assert (items.Description, items.value_list, items.value) == ("Each item that was logged", list(ITEMS), "apple")
    assert [piece.time for piece in items.evidencelist] == [1000.0, 1001.0, 1002.0]
    assert {piece.source for piece in items.evidencelist} <= {"probe", "old"}
    info = person.client.getcontext(LOGGING)
    assert (info["Identifier"], info["Description"], info["perms"]) == ("Logging", "What was logged", {})
    with pytest.raises(ValueError, match="bad_value"):
        program.log("cake", time=1003.0)


def test_asker_counts_what_was_logged(client: PersonisClient) -> None:
    """From the evidence of one ask."""
    program = LogLlum(client)
    assert counted(client) == {}
    for item in ("kiwi", "pear", "kiwi", "kiwi"):
        program.log(item, time=1000.0)
    assert counted(client) == {"kiwi": 3, "pear": 1}


def test_the_activity_sensor_installs_itself_and_tells(client: PersonisClient, person: Person) -> None:
    """Two contexts, one in the other, and a number."""
    for start in (1000.0, 2000.0):
        sensor = ActivitySensor(client)
        for seconds, value in enumerate((0, 1, 0, -1)):
            sensor.send(value, time=start + seconds)
    (data,) = person.client.ask(ACTIVITY, ["data"], {"evidence_filter": "all"})
    assert data.value == -1
    assert [piece.value for piece in data.evidencelist] == [0, 1, 0, -1] * 2
    assert data.evidencelist[4].time == 2000.0


def test_what_they_made_is_seen_in_the_browser(person: Person) -> None:
    """As in the tutorial: down to the logged items, by name."""
    LogLlum(person.client).log("grape", time=1000.0)
    browser = Umbrowser(person.client)
    browser.type("cd Apps")
    assert "Contexts: ['Logging']" in browser.type("ls")
    browser.type("cd Logging")
    assert browser.type("ls")[0] == "logged_items: Each item that was logged"
    assert "value = grape" in browser.type("ls logged_items")


def test_a_device_with_a_password_asks(person: Person) -> None:
    """The original's client for apps: a name and a password in each call."""
    LogLlum(person.client).log("grape", time=1000.0)
    person.client.registerapp("frame", "a picture frame", "secret")
    person.client.setpermission(LOGGING, app="frame", permissions={"ask": True, "tell": False})
    (items,) = person.device("frame", "secret").ask(LOGGING, ["logged_items"])
    assert (items.value, [piece.value for piece in items.evidencelist]) == ("grape", ["grape"])
