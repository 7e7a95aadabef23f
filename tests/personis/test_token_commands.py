"""`llum admin token`: what it prints has the rights of the app, can be listed and revoked, and ends with the app."""

import json
import subprocess
import urllib.error
import urllib.request
from typing import Any

from tests.personis.conftest import Person
from tests.system.harness import until
from tests.waiting import DEADLINE_S


def post(person: Person, token: str, operation: str, **members: Any) -> tuple[int, Any]:
    """Call an operation with a token, and give status and answer."""
    body = json.dumps({"version": "11.2", "modelname": "-", **members}).encode()
    request = urllib.request.Request(f"{person.llum.http}/{operation}", body, {"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=DEADLINE_S) as response:
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        return error.code, None


def status(person: Person, token: str) -> int:
    return post(person, token, "access")[0]


def make(person: Person, app: str, *options: str) -> subprocess.CompletedProcess[str]:
    return person.llum.command("admin", "token", person.user, "--app", app, *options)


def listed(person: Person) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(person.llum.run("admin", "token", "list", person.user, "--json"))[
        "credentials"
    ]
    return found


def test_a_token_has_the_rights_that_the_app_has(person: Person) -> None:
    """Neither role nor description change by it, and nothing but the token is printed."""
    run, user = person.llum.run, person.user
    run("admin", "app", "add", user, "notebook", "--description", "my notes")
    token = run("admin", "token", user, "--app", "notebook")
    about = {one["name"]: one for one in json.loads(run("admin", "app", "list", user, "--json"))["apps"]}
    assert (about["notebook"]["role"], about["notebook"]["description"]) == ("app", "my notes")
    context = {"Identifier": "Sport"}
    assert post(person, token, "mkcontext", context=[], contextobj=context)[1]["error"]["code"] == "permission_denied"
    run("admin", "app", "permit", user, "notebook", "--tell")
    assert post(person, token, "mkcontext", context=[], contextobj=context)[1]["val"] is True
    assert post(person, token, "listapps")[1]["error"]["code"] == "permission_denied"


def test_a_token_for_an_app_that_is_not_registered_is_refused(person: Person) -> None:
    """In one line with the commands to type; nothing is registered."""
    made = make(person, "stranger")
    assert (made.returncode, made.stdout) == (1, "")
    assert f"llum admin app add {person.user} stranger" in made.stderr
    assert "--owner" in made.stderr
    assert "stranger" not in person.llum.run("admin", "app", "list", person.user)


def test_owner_makes_an_owners_app_and_says_so(person: Person) -> None:
    """On stderr, once, so that what is printed is the token alone. The description stays."""
    person.llum.run("admin", "app", "add", person.user, "hub", "--description", "a hub")
    first, again = make(person, "hub", "--owner"), make(person, "hub", "--owner")
    assert f"hub is an owner app of {person.user} now" in first.stderr
    assert again.stderr == ""
    assert first.stdout.startswith("llum_")
    apps = post(person, first.stdout.strip(), "listapps")[1]["val"]
    assert apps["hub"] == {"description": "a hub"}


def test_llums_own_apps_get_no_token(person: Person) -> None:
    """With --owner neither."""
    for options in ((), ("--owner",)):
        made = make(person, "_admin", *options)
        assert (made.returncode, made.stdout) == (1, "")
        assert "bad_field" in made.stderr


def test_tokens_are_listed_and_revoked(person: Person) -> None:
    """By an id that opens nothing: a table for people, JSON for programs. The running edge obeys."""
    run, user = person.llum.run, person.user
    run("admin", "app", "add", user, "notebook")
    token = run("admin", "token", user, "--app", "notebook", "--days", "1")
    assert status(person, token) == 200
    until_used(person)
    (one,) = [one for one in listed(person) if one["app"] == "notebook"]
    assert (one["kind"], one["works"]) == ("token", True)
    assert one["expires"] - one["made"] == 86_400
    assert one["id"] not in token
    assert status(person, one["id"]) == 401
    assert one["id"] in run("admin", "token", "list", user)
    assert token not in run("admin", "token", "list", user)
    said = run("admin", "token", "revoke", user, one["id"])
    assert said == f"the token {one['id']} of notebook is worthless now"
    assert one["id"] not in run("admin", "token", "list", user)
    until(lambda: status(person, token) == 401, "what was done takes effect")
    again = person.llum.command("admin", "token", "revoke", user, one["id"])
    assert again.returncode == 1
    assert "bad_field" in again.stderr


def test_a_removed_app_takes_its_tokens_with_it(person: Person) -> None:
    """Those of an app that is registered anew are others."""
    run, user = person.llum.run, person.user
    run("admin", "app", "add", user, "notebook")
    token = run("admin", "token", user, "--app", "notebook")
    assert status(person, token) == 200
    run("admin", "app", "remove", user, "notebook")
    until(lambda: status(person, token) == 401, "what was done takes effect")
    run("admin", "app", "add", user, "notebook")
    assert status(person, run("admin", "token", user, "--app", "notebook")) == 200
    assert status(person, token) == 401


def test_an_app_deleted_over_http_is_out_at_once(person: Person) -> None:
    """At the edge that deleted it, without waiting for anything."""
    run, user = person.llum.run, person.user
    run("admin", "app", "add", user, "notebook")
    token = run("admin", "token", user, "--app", "notebook")
    assert status(person, token) == 200
    assert person.client.call("deleteapp", {"app": "notebook"}) is None
    assert status(person, token) == 401


def test_the_activity_sensor_is_installed_by_the_owner(person: Person) -> None:
    """Without that it does not start, and says what to type; with it, it may tell in its own context alone."""
    run, user = person.llum.run, person.user
    refused = person.llum.command("sensor", "activity", user)
    assert refused.returncode == 1
    assert f"llum sensor activity {user} --install" in refused.stderr
    assert "activity_monitor" not in run("admin", "app", "list", user)
    for _ in range(2):
        said = run("sensor", "activity", user, "--install")
        assert (
            said == f"the activity sensor is installed for {user}: it may tell Devices/activity_monitor/activity/data"
        )
    about = {one["name"]: one for one in json.loads(run("admin", "app", "list", user, "--json"))["apps"]}
    assert about["activity_monitor"]["role"] == "app"
    as_sensor = ("--app", "activity_monitor")
    run("tell", user, "Devices/activity_monitor/activity/data", "1", *as_sensor)
    assert person.llum.command("tell", user, "Personal/firstname", '"x"', *as_sensor).returncode == 1
    assert person.llum.command("ask", user, "Devices/activity_monitor/activity/data", *as_sensor).returncode == 1


def until_used(person: Person) -> None:
    """Wait until the use of a token of the app `notebook` has been noted."""
    until(lambda: any(one["used"] for one in listed(person) if one["app"] == "notebook"), "what was done takes effect")
