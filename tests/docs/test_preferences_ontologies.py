"""The examples of the page about ontologies."""

import json
import re
from pathlib import Path
from typing import Any

from model.preferences.mappings import Copy, Linear, Mapping, MappingRule, Unpack, ValueTable
from model.preferences.transforms import Transform, inverse

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "preferences-ontologies.md"


def rule(written: dict[str, Any]) -> MappingRule:
    source, target = written["from"], written["to"]
    if "values" in written:
        return ValueTable(source, target, tuple((one, other) for one, other in written["values"]))
    if "scale" in written:
        sources, targets = zip(*written["scale"]["points"], strict=True)
        return Linear(source, target, sources, targets, *written["scale"]["decimals"])
    return Unpack(source, target, written["blocks"]) if "blocks" in written else Copy(source, target)


def test_the_rules_of_the_page_do_what_it_says() -> None:
    """There and back, with the names in the order that is shown."""
    rules, before, after = map(json.loads, re.findall(r"```json\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL))
    mapping = Mapping("a", "b", tuple(map(rule, rules)))
    said = Transform(mapping.rules).transformed(before)
    assert list(said.items()) == list(after.items())
    del before["display"]["unknown"]
    assert Transform(inverse(mapping).rules).transformed(said) == before
