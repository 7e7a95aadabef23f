"""`llum admin client`: a program of somebody else from its registration to its end."""

import json

from tests.system.harness import Llum


def test_a_client_is_registered_changed_shown_and_deleted(llum: Llum) -> None:
    """Its secret is printed when it is made, and never again."""
    run, folder = llum.run, llum.folder
    (folder / "log.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(20))
    described = ["--name", "Food log", "--redirect", "https://log.example/cb", "--icon", "log.png"]
    made = json.loads(run("admin", "client", "add", "food", *described, "--json"))
    assert (made["client_id"], made["kind"], made["has_icon"]) == ("food", "confidential", True)
    changed = run("admin", "client", "set", "food", "--legacy", "--owner", "--home", "https://log.example/")
    assert "legacy: it may leave out PKCE" in changed
    assert "as the owner does" in changed
    assert "sent back to: https://log.example/cb" in changed, "it stays as it was"
    listed = run("admin", "client", "list", "--json")
    assert made["secret"] not in listed + changed
    (found,) = json.loads(listed)["clients"]
    assert (found["legacy"], found["may_own"], found["home"]) == (True, True, "https://log.example/")
    assert run("admin", "client", "secret", "food") != made["secret"]
    cleared = json.loads(run("admin", "client", "set", "food", "--no-redirect", "--home", "", "--no-icon", "--json"))
    assert (cleared["redirect_uris"], cleared["home"], cleared["has_icon"]) == ([], "", False)
    run("admin", "client", "delete", "food")
    assert run("admin", "client", "list") == "there is no client yet"
    assert "--again" in llum.command("admin", "client", "add", "food", *described).stderr
    assert "food is registered" in run("admin", "client", "add", "food", *described, "--again")


def test_what_is_wrong_is_said_in_the_words_of_the_command_line(llum: Llum) -> None:
    """By the option that was typed, and with the command that helps."""
    wrong = llum.command("admin", "client", "add", "food", "--name", "Log", "--redirect", "http://log.example/*")
    assert "(field --redirect)" in wrong.stderr
    for words in (("show", "none"), ("set", "none", "--legacy"), ("secret", "none"), ("delete", "none")):
        assert "`llum admin client list`" in llum.command("admin", "client", *words).stderr
    both = llum.command("admin", "client", "set", "none", "--redirect", "https://a.example/", "--no-redirect")
    assert both.returncode == 2
