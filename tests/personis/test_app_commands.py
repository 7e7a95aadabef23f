"""`llum admin app`: a simple device from its registration to its removal."""

import json
import subprocess
import sys

import pytest

from tests.edge_http.personis_client import DeniedError, Evidence
from tests.personis.conftest import Person
from tests.waiting import DEADLINE_S


def run_with_input(person: Person, text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "llum", *arguments],
        cwd=person.llum.folder,
        env=person.llum.environment,
        input=text,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )


def test_a_device_is_added_permitted_listed_and_removed(person: Person) -> None:
    """What it may do follows each command."""
    run, user = person.llum.run, person.user
    person.make("T", "c")
    added = run_with_input(person, "secret\n", "admin", "app", "add", user, "MyScale", "--password-stdin")
    assert added.returncode == 0, added.stderr
    assert "secret" not in added.stdout + added.stderr
    device = person.device("MyScale", "secret")
    told = Evidence(evidence_type="explicit", value="v")
    with pytest.raises(DeniedError):
        device.tell(["T"], "c", told)
    assert run("admin", "app", "permit", user, "MyScale", "T", "--tell", "--filter", "last1") == (
        "may: tell, make, delete, rules\nfilters: last1"
    )
    assert device.tell(["T"], "c", told) is None
    listed = json.loads(run("admin", "app", "list", user, "--json"))["apps"]
    (about,) = [one for one in listed if one["name"] == "MyScale"]
    assert (about["role"], about["password"], about["description"]) == ("app", True, "")
    assert "MyScale" in run("admin", "app", "list", user)
    run("admin", "app", "remove", user, "MyScale")
    with pytest.raises(DeniedError):
        device.tell(["T"], "c", told)
    assert "MyScale" not in run("admin", "app", "list", user)


def test_a_permission_is_shown_in_words_and_in_json(person: Person) -> None:
    """Without a change what is set is shown."""
    run, user = person.llum.run, person.user
    run("admin", "app", "add", user, "lamp", "--description", "a lamp")
    assert run("admin", "app", "permit", user, "lamp") == "nothing is set there"
    parts = ["--ask", "--no-tell", "--resolver", "goal", "--any-filter", "--bind-view", "v", "--expires", "4000000000"]
    shown = run("admin", "app", "permit", user, "lamp", "Personal", *parts)
    assert shown.splitlines()[0] == "may: ask"
    assert {"resolvers: goal", "filters: all"} <= set(shown.splitlines())
    assert "expires: 2096" in shown
    found = json.loads(run("admin", "app", "permit", user, "lamp", "Personal", "--json"))
    assert (found["ask"], found["bind_view"], found["expires"]) == (True, "v", 4e9)


def test_rules_elsewhere_are_permitted_and_shown_by_themselves(person: Person) -> None:
    """What is said for them is not said for the app, and the other way round."""
    run, user = person.llum.run, person.user
    run("admin", "app", "add", user, "lim")
    place = [user, "lim", "Personal", "--whose-rules", "mallory"]
    assert run("admin", "app", "permit", *place, "--ask", "--purpose", "to meet") == "may: ask\npurpose: to meet"
    assert run("admin", "app", "permit", *place) == "may: ask\npurpose: to meet"
    assert run("admin", "app", "permit", user, "lim", "Personal") == "nothing is set there"
    shown = run("browse", user, "-c", "showperm lim Personal")
    assert "lim, rules of mallory" in shown
    assert "for: to meet" in shown


def test_quotas_are_set_and_shown(person: Person) -> None:
    """Each by itself; what they refuse says how to get more."""
    run, user = person.llum.run, person.user
    run("admin", "app", "add", user, "clock")
    run("admin", "app", "permit", user, "clock", "--ask", "--tell")
    shown = run("admin", "app", "quota", user, "clock", "--rules", "1", "--fires-per-minute", "2")
    assert {"rules: 1", "fires_per_minute: 2", "schedules: 100"} <= set(shown.splitlines())
    assert json.loads(run("admin", "app", "quota", user, "clock", "--json"))["rules"] == 1
    rule = 'subscribe Personal/email \'{} "" ~ "" : TELL ./Personal/gid, inferred:"x"\''
    refused = person.llum.command("browse", user, "--app", "clock", "-c", rule.format('["* * * * * *"]'))
    assert refused.returncode != 0
    assert "--fires-per-minute" in " ".join(refused.stderr.split())
    run("browse", user, "--app", "clock", "-c", rule.format('["0,30 * * * * *"]'))
    assert person.llum.command("browse", user, "--app", "clock", "-c", rule.format("")).returncode != 0


def test_adding_again_keeps_role_and_password(person: Person) -> None:
    """Only what is said is changed."""
    run, user = person.llum.run, person.user
    run_with_input(person, "secret", "admin", "app", "add", user, "hub", "--owner", "--password-stdin")
    run("admin", "app", "add", user, "hub", "--description", "a hub")
    assert "hub" in person.device("hub", "secret").call("listapps")
    run("admin", "app", "add", user, "hub", "--no-owner")
    with pytest.raises(DeniedError):
        person.device("hub", "secret").call("listapps")


def test_a_mistake_is_one_line(person: Person) -> None:
    """No password on standard input, a person or an app that is not there."""
    nothing = run_with_input(person, "", "admin", "app", "add", person.user, "lamp", "--password-stdin")
    assert (nothing.returncode, len(nothing.stderr.splitlines())) == (2, 1)
    for arguments in (["list", "nobody"], ["remove", person.user, "nothing"], ["permit", person.user, "nothing"]):
        done = person.llum.command("admin", "app", *arguments)
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
