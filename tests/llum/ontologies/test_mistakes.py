"""Every mistake that an operator can make in a file gets one line: where it is, what is wrong, what to do."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from llum.failures import Fault
from llum.ontologies.loading import load
from llum.ontologies.mistakes import OntologyFault
from model.preferences.mappings import Copy

Say = Callable[..., list[str]]

WORDS = {"title": "A", "description": "What it is."}
COMMON = r"http://registry\.gpii\.net/common/"


@pytest.fixture
def said(tmp_path: Path) -> Say:
    """Give what loading says of files with these texts, named a.json, b.json and so on; nothing if all is well."""

    def say(*texts: str | bytes) -> list[str]:
        for name, text in zip("abcd", texts, strict=False):
            (tmp_path / f"{name}.json").write_bytes(text if isinstance(text, bytes) else text.encode())
        try:
            load(tmp_path)
        except OntologyFault as fault:
            return [str(one).removeprefix(f"{tmp_path}/") for one in fault.mistakes]
        return []

    return say


def file(terms: dict[str, Any] | None = None, *rules: Any, to: str = "flat", **members: Any) -> str:
    """Write a file on a line for each member; a term has words unless it brings its own."""
    described = {path: WORDS | one for path, one in (terms or {}).items()}
    content = {"ontology": "mine", "title": "Mine", "description": "Ours.", "terms": described}
    content |= {"mappings": [{"to": to, "rules": rules}]} | members
    return "{\n" + ",\n".join(f"{enc(name)}:{enc(value)}" for name, value in content.items()) + "\n}"


def enc(value: Any) -> str:
    return msgspec.json.encode(value).decode()


TEXTS = [
    ("", "a.json:1:1: this is not JSON: Input data was truncated: look for a missing quote, comma or bracket"),
    (
        '{\n  "ontology": "x",\n}',
        "a.json:3:1: this is not JSON: trailing comma in object: look for a missing quote, comma or bracket",
    ),
    (
        '{"é": 1 "b"',
        "a.json:1:9: this is not JSON: expected ',' or '}': look for a missing quote, comma or bracket",
    ),
    (b'{\n"a": "\xff"}', "a.json:2:7: this is no text in UTF-8: save the file as UTF-8"),
    ("[]", 'a.json:1:1: [] is not of type "object": write what the format says'),
    ("{}", "a.json:1:1: the member 'ontology' is missing here: add it"),
    (
        '{"ontology": "mine", "title": "a", "titel": "b"}',
        "a.json:1:36: the format has no member 'titel' here: mend its name, or leave it out",
    ),
    (
        '{"ontology": "mine",\n "terms": {"a": 1,\n  "a": 2}}',
        'a.json:3:3: 2 is not of type "object": write what the format says',
    ),
]


@pytest.mark.parametrize(("text", "line"), TEXTS)
def test_what_is_no_file_of_the_format_is_named(said: Say, text: str, line: str) -> None:
    """Syntax, members and their types; a column counts characters, not bytes."""
    assert line in said(text)


def term(path: str, **members: Any) -> str:
    return file({path: members})


ALONE = [
    (term(""), "5:10: the path is empty: name the setting"),
    (term("a..b"), "5:10: the path has a dot too many: there is no name on one side of it"),
    (
        term("a\\"),
        r"5:10: the path ends in a backslash that escapes nothing: leave it out, or write \\ for a backslash",
    ),
    (
        term("http://x.org/a"),
        r"5:10: the dots of the URL part it into names: write \\. for each dot that belongs to a name",
    ),
    (
        term("a\u202e"),
        "5:10: a name holds U+202E RIGHT-TO-LEFT OVERRIDE: leave it out: who reads the name cannot see it",
    ),
    (
        term("a", schema={"type": "text"}),
        "5:65: this is no JSON Schema of draft 7: a type is array, boolean, integer, null, number, object or string",
    ),
    (term("a", schema={"minimum": ""}), '5:65: this is no JSON Schema of draft 7: "" is not of type "number"'),
    (term("a", schema={"pattern": "("}), '5:65: this is no JSON Schema of draft 7: "(" is not a "regex"'),
    (
        term("a", schema={"items": {"minimun": 1}}),
        "5:74: 'minimun' is no keyword that a term's schema may have: did you mean 'minimum'?",
    ),
    (
        term("a", schema={"$ref": "http://x.org/"}),
        "5:65: '$ref' is no keyword that a term's schema may have: write out what it would refer to",
    ),
    (
        term("a", schema={"enum": [1], "default": 2}),
        "5:76: the default is no value that the schema allows: mend either",
    ),
    (
        term("a", schema={"enum": [1], "enumLabels": []}),
        "5:76: there must be as many labels as values in enum: add or leave out some",
    ),
    (file(None, to="mine"), "6:14: an ontology cannot be mapped to itself: name another one"),
    (
        file(None, {"from": "a", "to": "b", "values": []}),
        "6:56: the table of values is empty: add pairs, or leave values out to copy every value",
    ),
    (
        file(None, {"from": "a", "to": "b", "values": [[1, 2]], "blocks": "x"}),
        "6:35: a rule has at most one of values, scale and blocks: make two rules of it",
    ),
    (
        file(None, {"from": "a", "to": "b", "scale": {"points": [[1, 2], [1, 3]], "decimals": [0, 0]}}),
        "6:65: the two points must differ on both sides: take two others",
    ),
    (
        file(None, {"from": "a", "to": "b", "scale": {"points": [[1, 2], [2, 3]], "decimals": [0, -1]}}),
        "6:102: -1 is less than the minimum of 0: write what the format says",
    ),
    (file(None, {"from": "a..b", "to": ""}), "6:50: the path is empty: name the setting"),
]


@pytest.mark.parametrize(("text", "line"), ALONE)
def test_a_mistake_in_a_file_is_named(said: Say, text: str, line: str) -> None:
    """With its line and column, and a way out."""
    assert f"a.json:{line}" in said(text)


FONT = COMMON + "fontSize"

TOGETHER = [
    ([term(""), "{"], ["a.json:5:10: the path is empty: name the setting", "b.json:1:2: this is not JSON"]),
    ([file(to="flt")], ["a.json:6:14: there is no ontology 'flt': take one of ISO24751, apptology, css, flat"]),
    (
        [file({"a": {}}, {"from": "b", "to": COMMON + "fontsize"})],
        [
            "a.json:6:36: mine has no term b: mend the path, or add the term",
            f"a.json:6:47: flat has no term {COMMON}fontsize: mend the path, or add the term",
        ],
    ),
    (
        [file(ontology="flat", mappings=[])],
        ["a.json:3:1: flat has a title from llum itself: leave it out here"],
    ),
    (
        [file({FONT: {}}, ontology="flat", title=None, mappings=[])],
        ["a.json:5:10: flat has this term already, from llum itself: leave one out"],
    ),
    ([term("a"), file({"a.b": {"schema": {"minimum": 1}}}, title=None)], []),
    (
        [term("a", schema={"minimum": 1}), file({"a.b": {}}, title=None)],
        ["b.json:5:10: it is inside the term a from a.json, which has a schema: say it there"],
    ),
    (
        [term("a.b"), file({"a": {"schema": {"minimum": 1}}}, title=None)],
        ["b.json:5:10: the term a.b from a.json is inside of it: leave the schema of one out"],
    ),
    ([file(title=None)], ["a.json:2:1: no file gives mine a title: add title and description, or mend the name"]),
    (
        [file({"--font-size": {"schema": {"type": "number"}}})],
        ["a.json:5:10: css has terms that begin with '--font-size', and a term is the same in all: rename it"],
    ),
]


@pytest.mark.parametrize(("texts", "lines"), TOGETHER)
def test_mistakes_between_files_are_named(said: Say, texts: list[str], lines: list[str]) -> None:
    """All at once, file by file."""
    found = said(*texts)
    assert len(found) == len(lines), found
    assert [one for one, line in zip(found, lines, strict=True) if not one.startswith(line)] == []


def test_a_name_that_is_there_twice_is_named(said: Say) -> None:
    """JSON allows it, but only one of them would count."""
    text = '{"ontology": "mine", "title": "A", "terms": {\n"a": {"title": "A", "description": "b"},\n"a": {}}}'
    twice = "a.json:3:1: 'a' is here for the second time, and only one can count: leave one out"
    assert said(text.replace("{}}}", '{"title": "A", "description": "b"}}}')) == [twice]


def test_as_a_text_each_mistake_has_a_line(tmp_path: Path) -> None:
    """It names the file as a terminal can open it."""
    (tmp_path / "a.json").write_text(file({"": {}, "a..b": {}}))
    with pytest.raises(Fault) as fault:
        load(tmp_path)
    first, *lines = str(fault.value).splitlines()
    assert first == "2 mistakes in files about ontologies:"
    assert [line.partition(": ")[0] for line in lines] == [f"{tmp_path}/a.json:5:10", f"{tmp_path}/a.json:5:55"]


def test_what_is_right_is_added(tmp_path: Path, said: Say) -> None:
    """Terms to llum's own ontologies, ontologies of one's own, and rules beside those of others."""
    extra = {"ontology": "flat", "terms": {"x:hum": WORDS | {"schema": {"type": "boolean", "default": True}}}}
    rules = [{"from": "hum", "to": "x:hum"}]
    assert said(enc(extra), file({"hum": {}}, *rules)) == []
    installed = load(tmp_path)
    assert installed.ontologies.mapping("mine", "flat").rules == (Copy("hum", "x:hum"),)
    assert installed.ontologies.route("mine", "ISO24751") == ("mine", "flat", "ISO24751")
    assert installed.codex.errors({"contexts": {"gpii-default": {"preferences": {"x:hum": 1}}}})
    assert installed.codex.term("mine", ["hum"]) is not None


def test_files_that_are_not_json_by_name_are_left_alone(tmp_path: Path) -> None:
    """Such as a README; but a folder with none of ours is a mistake."""
    (tmp_path / "README.md").write_text("notes")
    with pytest.raises(Fault, match=r"has no file whose name ends in \.json"):
        load(tmp_path)


@pytest.mark.parametrize("name", ["missing", "file"])
def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    """With what the system says."""
    (tmp_path / "file").write_text("{}")
    with pytest.raises(Fault, match=f"cannot read {tmp_path / name}: No"):
        load(tmp_path / name)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """Likewise."""
    (tmp_path / "a.json").touch(0)
    with pytest.raises(Fault, match=f"cannot read {tmp_path}/a.json: Permission denied"):
        load(tmp_path)
