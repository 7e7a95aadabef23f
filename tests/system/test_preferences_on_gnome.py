"""Preferences from a desktop, and to it, as a person types it; the desktop is GNOME's settings in dconf."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.desktop import Desktop, desktop_in
from tests.system.harness import Llum, until
from tests.system.test_remote_sign_in import Laptop, Person, allow
from tests.waiting import DEADLINE_S

INTERFACE = "org.gnome.desktop.interface"
GNOME = ("--target", "gnome")
FLAT = {"http://registry.gpii.net/common/fontSize": 24, "http://registry.gpii.net/common/stickyKeys": True}


@pytest.fixture
def desktop(tmp_path: Path) -> Iterator[Desktop]:
    with desktop_in(tmp_path / "desktop") as session:
        yield session


def put(llum: Llum, view: str, preferences: dict[str, Any]) -> None:
    """Say preferences over HTTP, as any program does."""
    token = llum.run("admin", "token", "make", "alice", "--app", "llum").splitlines()[0]
    response = httpx.put(
        f"{llum.http}/preferences/me?view={view}",
        json={"contexts": {"gpii-default": {"preferences": preferences}}},
        headers={"Authorization": f"Bearer {token}"},
        timeout=DEADLINE_S,
    )
    assert response.status_code == 200, response.text


def test_a_desktop_is_captured_changed_and_put_back(llum: Llum, desktop: Desktop) -> None:
    """Capture, change in another ontology, apply, undo: `gsettings list-recursively` is then what it was."""

    def typed(*words: str, answer: str = "") -> subprocess.CompletedProcess[str]:
        return llum.run_as_it_is("preferences", *words, *GNOME, text=answer, **desktop.environment)

    llum.run("admin", "person", "add", "alice")
    unknown = typed("capture", "alice")
    assert (unknown.returncode, "has not signed in as alice" in unknown.stderr) == (1, True)
    llum.run_as_it_is("sign-in", "alice", **desktop.environment)
    desktop.set(INTERFACE, "text-scaling-factor", "1.5")
    desktop.set("org.gnome.desktop.peripherals.touchpad", "send-events", "'disabled'")
    before = desktop.all()

    seen = typed("capture", "alice", "--dry-run").stdout
    assert "Size of text  not said  1.5 times" in seen
    assert "it belongs to each machine" in seen
    refused = typed("capture", "alice", answer="n\n")
    assert (refused.returncode, "nothing was changed" in refused.stderr) == (1, True)
    assert typed("capture", "alice", answer="y\n").stdout.endswith("1 setting was told\n")
    path = f"Preferences/gsettings/gpii-default/{INTERFACE}/text-scaling-factor"
    told = json.loads(llum.run("ask", "alice", path, "--evidence", "--json"))["evidence"]
    assert [(piece["value"], piece["evidence_type"]) for piece in told] == [(1.5, "implicit")]
    assert "1 setting is so already" in typed("capture", "alice").stdout

    put(llum, "flat", FLAT)
    assert "1.5 times  2 times" in typed("apply", "alice", "--dry-run").stdout
    assert desktop.all() == before
    applied = json.loads(typed("apply", "alice", "--yes", "--json").stdout)
    assert [(one["title"], one["old"], one["new"]) for one in applied["changes"]] == [
        ("Size of text", 1.5, 2.0),
        ("Sticky keys", False, True),
    ]
    assert desktop.gsettings("get", INTERFACE, "text-scaling-factor") == "2.0\n"
    assert typed("apply", "alice").stdout.endswith(
        "nothing to set: GNOME is as alice prefers it, as far as llum knows\n"
    )
    undone = typed("undo", answer="y\n")
    assert undone.stdout.endswith("2 settings were put back\n"), undone.stderr
    assert desktop.all() == before
    assert typed("undo").stdout.startswith("nothing to put back")


@pytest.mark.long
def test_who_is_not_the_operator_does_so_at_an_llum_of_somebody_else(llum: Llum, tmp_path: Path) -> None:
    """By the sign-in of their command line; one that is too narrow says what is missing."""
    link = until(lambda: re.search(r"/sign-up\?link=(\S+)", llum.output.read_text()), "the first link")
    alice, laptop = Person(llum), Laptop(tmp_path / "laptop")
    alice.sign_up("alice", link[1])
    at = (*GNOME, "--at", llum.http)
    with desktop_in(laptop.folder) as desktop:
        laptop.environment |= desktop.environment
        status, said = laptop.run("preferences", "capture", "alice", *at)
        assert (status, f"`llum sign-in alice --at {llum.http}`" in said) == (1, True), said
        desktop.set(INTERFACE, "text-scaling-factor", "1.5")
        for scope, ends in (("ask:Personal", "permission_denied"), ("owner", "1 setting was told")):
            signing_in = laptop.start("sign-in", "alice", "--at", llum.http, "--scope", scope)
            allow(alice, laptop)
            signing_in.communicate(timeout=DEADLINE_S)
            status, said = laptop.run("preferences", "capture", "alice", *at, "--yes")
            assert ends in said, said
        desktop.set(INTERFACE, "text-scaling-factor", "1.25")
        before = desktop.all()
        status, said = laptop.run("preferences", "apply", "alice", *at, "--set", "elsewhere")
        assert (status, "gpii-default" in said) == (1, True), said
        assert laptop.run("preferences", "apply", "alice", *at, "--yes")[0] == 0
        assert desktop.gsettings("get", INTERFACE, "text-scaling-factor") == "1.5\n"
        assert laptop.run("preferences", "undo", *GNOME, "--yes")[0] == 0
        assert desktop.all() == before
