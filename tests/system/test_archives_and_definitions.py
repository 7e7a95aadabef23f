"""Archives and definitions by the command line, between people and between installations."""

import json
from pathlib import Path
from typing import Any

from tests.system.harness import Llum

DEFINITION = """\
@@Personal: description="Who, \\"in short\\"", resolver="recent"
--first name: type="attribute", value_type="string", description="Given name"
--gender: type="attribute", value_type="enum", value="female", value="male", goals=["Goals/Health/steps"]
--any: type="knowledge", value_type="JSON",
    rule="<default!./Personal/any> ~ 'x' : TELL './Personal/first name', explicit:'y'"
==short: first name, Goals/Health/steps, /top

@@Goals/Health
--steps: type="goal", value_type="number", resolver="goal"
"""


def told(llum: Llum, user: str) -> dict[str, Any]:
    """Ask for everything about Personal, without what says when and where it was put in."""
    reply = json.loads(llum.run("ask", user, "Personal", "--evidence", "--explain", "--json"))
    for component in reply["components"]:
        component.pop("creation_time", None)
        pieces = [*component.get("evidence", ()), *component["explanation"].get("used", ())]
        for reason in component["explanation"].get("left_out", ()):
            pieces += reason.get("examples", ())
        for piece in pieces:
            piece.pop("seq", None)
            piece.pop("n", None)
        component["explanation"].pop("evaluated_at")
    components: dict[str, Any] = {component["path"][-1]: component for component in reply["components"]}
    return components


def test_a_person_moves_to_another_name_and_importing_again_changes_nothing(shared_llum: Llum, tmp_path: Path) -> None:
    """Export, import under another name, import again: the copy answers as the original does, and has it once."""
    llum, file = shared_llum, str(tmp_path / "alice.jsonl")
    llum.run("admin", "person", "add", "alice", "--first-name", "Al")
    for value in ('"Bo"', '"Cy"'):
        llum.run("tell", "alice", "Personal/firstname", value, "--comment", "said so")
    llum.run("admin", "person", "export", "alice", file)
    first = llum.run("admin", "person", "import", "alice2", file)
    assert told(llum, "alice2") == told(llum, "alice")
    assert llum.run("admin", "person", "import", "alice2", file) == "alice2 has everything in this archive already"
    assert told(llum, "alice2") == told(llum, "alice")
    assert " evidence" in first


def test_an_archive_does_not_overwrite_another_model(shared_llum: Llum, tmp_path: Path) -> None:
    """A person who has another model keeps it, and one line says what to do."""
    file = str(tmp_path / "bob.jsonl")
    for user in ("bob", "carol"):
        shared_llum.run("admin", "person", "add", user)
    shared_llum.run("admin", "person", "export", "bob", file)
    done = shared_llum.command("admin", "person", "import", "carol", file)
    assert done.returncode == 1
    assert "carol has a model that was not made from this archive" in done.stderr


def test_a_definition_makes_a_model_which_is_written_back_as_it_was(shared_llum: Llum, tmp_path: Path) -> None:
    """apply, export, apply to another person, export: the same text each time."""
    file = tmp_path / "small.mdef"
    file.write_text(DEFINITION, "utf-8")
    shared_llum.run("mdef", "apply", "dora", str(file))
    first = shared_llum.run("mdef", "export", "dora")
    again = tmp_path / "again.mdef"
    again.write_text(first + "\n", "utf-8")
    shared_llum.run("mdef", "apply", "emil", str(again))
    assert shared_llum.run("mdef", "export", "emil") == first
    for line in DEFINITION.splitlines():
        assert line in first


def test_what_a_definition_says_and_a_model_lacks_is_made(shared_llum: Llum, tmp_path: Path) -> None:
    """Nothing that is there changes, and applying again makes nothing."""
    small, large = tmp_path / "small.mdef", tmp_path / "large.mdef"
    small.write_text('@@Personal: description="mine"\n--first name: [value="Al"]\n', "utf-8")
    large.write_text(DEFINITION.replace('"Given name"', '"Given name", [value="Bo"]'), "utf-8")
    shared_llum.run("mdef", "apply", "fay", str(small))
    done = shared_llum.run("mdef", "apply", "fay", str(large))
    made, rules = done.splitlines()
    assert made == "fay: made 2 contexts, 3 components, 1 views; 2 were there"
    assert rules == "1 rule does not fire yet: see `llum admin rule list fay --suspended`"
    assert shared_llum.run("ask", "fay", "Personal/first name") == '"Al"'
    assert '@@Personal: description="mine"' in shared_llum.run("mdef", "export", "fay")
    assert shared_llum.run("mdef", "apply", "fay", str(large)).startswith("fay: made 0 contexts, 0 components")


def test_a_wrong_definition_is_told_with_its_place(shared_llum: Llum, tmp_path: Path) -> None:
    """Line and column, and nothing is made."""
    file = tmp_path / "wrong.mdef"
    file.write_text('@@Personal:\n--name: value_type="sting"\n', "utf-8")
    done = shared_llum.command("mdef", "apply", "gus", str(file))
    assert done.returncode == 1
    assert "2:" in done.stderr
    assert "gus" not in shared_llum.run("admin", "person", "list")
