"""`llum sensor log` as a person types it: told once, kept while llum is away, and refused nowhere."""

import json
import re

import pytest

from tests.system.harness import Llum, until
from tests.system.test_remote_sign_in import Laptop, Person, allow
from tests.waiting import DEADLINE_S

WHEN = "2026-11-26T10:00+00:00"
LATER = "2026-11-26T11:00+00:00"


def test_what_is_logged_while_llum_is_away_is_told_later(llum: Llum) -> None:
    """And what is typed again with the same time counts once."""
    llum.run("admin", "person", "add", "bob")
    refused = llum.command("sensor", "log", "bob", "apple")
    assert refused.returncode == 1
    assert "`llum sensor log bob --install`" in refused.stderr
    assert "Apps/Logging/logged_items" in llum.run("sensor", "log", "bob", "--install")
    assert llum.run("sensor", "log", "bob", "apple", "apple", "--time", WHEN).startswith("logged: apple, apple")
    llum.stop()
    away = llum.run("sensor", "log", "bob", "walk", "--json")
    assert json.loads(away)["waiting"] == 1
    llum.start()
    again = llum.run("sensor", "log", "bob", "apple", "apple", "--time", WHEN, "--json")
    assert json.loads(again)["waiting"] == 0
    told = json.loads(llum.run("ask", "bob", "Apps/Logging/logged_items", "--evidence", "--json"))
    assert [piece["value"] for piece in told["evidence"]] == ["apple", "apple", "walk"]


def test_what_cannot_be_logged_is_named(llum: Llum) -> None:
    """Before anything is looked for."""
    wrong = llum.command("sensor", "log", "carol", "pear")
    assert wrong.returncode == 2
    assert "'pear' cannot be logged; what can be is apple, " in wrong.stderr


@pytest.mark.long
def test_who_is_not_the_operator_logs_at_an_llum_of_somebody_else(llum: Llum) -> None:
    """They let the sensor in by a short code. Once they have taken that back it says so, and loses nothing."""
    link = until(lambda: re.search(r"/sign-up\?link=(\S+)", llum.output.read_text()), "the first link")
    alice, laptop = Person(llum), Laptop(llum.folder / "laptop")
    alice.sign_up("alice", link[1])
    at = ("--at", llum.http)
    logging = laptop.start("sensor", "log", "alice", "apple", *at, "--time", WHEN)
    allow(alice, laptop)
    printed, _ = logging.communicate(timeout=DEADLINE_S)
    assert printed.startswith("logged: apple"), laptop.said
    assert "may tell Apps/Logging/logged_items" in laptop.said
    alice.fill_in(alice.open("/list_apps"), "/list_apps_save", id="revoke", value="log_sensor")
    walk = ("sensor", "log", "alice", "walk", *at, "--time", LATER)
    hint = f"`llum sensor log alice --at {llum.http} --install`"
    kept = until(lambda: [said for said in (laptop.run(*walk)[1],) if hint in said], "it says what to do")
    assert "not sent yet" in kept[0]
    again = laptop.start("sensor", "log", "alice", "apple", *at, "--time", WHEN)
    allow(alice, laptop)
    printed, _ = again.communicate(timeout=DEADLINE_S)
    if "not sent yet" in printed:
        # The machine is busy. What waits is sent by any later one.
        repeated = ("sensor", "log", "alice", "apple", *at, "--time", WHEN)
        until(lambda: "not sent yet" not in laptop.run(*repeated)[1], "all is sent")
    told = json.loads(llum.run("ask", "alice", "Apps/Logging/logged_items", "--evidence", "--json"))
    assert [(piece["value"], piece["source"]) for piece in told["evidence"]] == [
        ("apple", "log_sensor"),
        ("walk", "log_sensor"),
    ]
