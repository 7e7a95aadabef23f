"""What GNOME and web pages know, said in the common terms and back."""

from typing import Any

import pytest

from llum.ontologies.loading import load
from model.preferences.mappings import Linear, MappingRule, ValueTable
from model.preferences.paths import PathSegments, segments_of

INSTALLED = load(None)
RULES = [(view, rule) for view in ("gsettings", "css") for rule in INSTALLED.ontologies.mapping(view, "flat").rules]


def said_in(preferences: dict[str, Any], start: str, end: str) -> Any:
    asked = {"contexts": {"gpii-default": {"preferences": preferences}}}
    return INSTALLED.ontologies.to_ontology(asked, start, end)["contexts"]["gpii-default"]["preferences"]


def at(path: str, value: Any) -> Any:
    for segment in reversed(segments_of(path)):
        value = {segment: value}
    return value


def values_of(schema: dict[str, Any]) -> list[Any]:
    """Give what the schema allows: all of it, or for numbers a hundred tenths, or integers."""
    if "enum" in schema:
        return list(schema["enum"])
    if schema.get("type") == "boolean":
        return [True, False]
    if schema.get("type") == "integer":
        return list(range(100))
    low, high = schema.get("minimum", 0), schema.get("maximum", 100)
    return [value for step in range(101) if (value := round(low + step / 10, 1)) <= high]


def source_values(view: str, rule: MappingRule) -> list[Any]:
    """Give values that can be said in common terms too."""
    if isinstance(rule, ValueTable):
        return [there for there, _ in rule.pairs]
    if isinstance(rule, Linear):
        low, high = rule.source_points
        return [low + (high - low) * step / 100 for step in range(101)]
    return values_of(INSTALLED.codex.terms[view][segments_of(rule.source)].schema)


def target_values(rule: MappingRule) -> list[Any]:
    """Give values of the common term that can be said on the other side."""
    if isinstance(rule, ValueTable):
        return [here for _, here in rule.pairs]
    return values_of(INSTALLED.codex.terms["flat"][segments_of(rule.target)].schema)


BY_RULE = pytest.mark.parametrize(("view", "rule"), RULES, ids=[rule.source for _, rule in RULES])


@BY_RULE
def test_a_common_term_comes_back_as_it_was(view: str, rule: MappingRule) -> None:
    """Whatever of it the other side can say."""
    sent = [at(rule.target, value) for value in target_values(rule)]
    assert [said_in(said_in(one, "flat", view), view, "flat") for one in sent] == sent


@BY_RULE
def test_what_is_said_in_common_terms_is_valid(view: str, rule: MappingRule) -> None:
    """A desktop or a page gives no value that the common term does not take."""
    said = [said_in(at(rule.source, value), view, "flat") for value in source_values(view, rule)]
    assert all(said)
    bodies = [{"contexts": {"gpii-default": {"preferences": one}}} for one in said]
    assert [errors for body in bodies if (errors := INSTALLED.codex.errors(body))] == []


def test_a_page_gets_what_the_desktop_has() -> None:
    """Over the common terms, which hold what media features say too."""
    interface = {"text-scaling-factor": 1.25, "color-scheme": "prefer-dark", "enable-animations": False}
    desktop = {"org.gnome.desktop.interface": interface, "org.gnome.desktop.a11y.interface": {"high-contrast": True}}
    assert said_in(desktop, "gsettings", "css") == {
        "--font-size": 15,
        "prefers-color-scheme": "dark",
        "prefers-reduced-motion": "reduce",
        "prefers-contrast": "more",
    }


def test_what_has_no_counterpart_is_not_said() -> None:
    """Less contrast is nothing that the common terms know."""
    assert said_in({"prefers-contrast": "less"}, "css", "flat") == {}


@pytest.mark.parametrize(
    ("view", "place"),
    [
        ("flat", ("http://registry.gpii.net/common/screenResolution",)),
        ("gsettings", ("org.gnome.desktop.wm.preferences", "button-layout")),
    ],
)
def test_what_belongs_to_a_machine_is_marked(view: str, place: PathSegments) -> None:
    """It does not travel."""
    term = INSTALLED.codex.term(view, place)
    assert term is not None
    assert term.local


def test_no_rule_carries_what_is_local() -> None:
    """Else it would travel by another name."""
    terms = INSTALLED.codex.terms
    carried = [rule.source for view, rule in RULES if terms[view][segments_of(rule.source)].local]
    assert carried == []
