"""`llum sensor log` as a person types it: told once, kept while llum is away, and refused nowhere."""

import json

from tests.system.harness import Llum

WHEN = "2026-11-26T10:00+00:00"


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
