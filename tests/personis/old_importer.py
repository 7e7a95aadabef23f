"""How the original reads an exported model: what it must find there, and what it makes of it.

It looks each member up by its name and fails without it, so this does, too.
"""

import json
from typing import Any

from tests.edge_http.personis_client import Component, Evidence, View

RULE_MEMBERS = {"user", "password", "statement", "modelname"}
NOT_TAKEN = ("evidencelist", "value")


class Imported:
    """What a context becomes."""

    def __init__(self, path: list[str], description: str) -> None:
        self.path = path
        self.description = description
        self.components: dict[str, Component] = {}
        self.views: dict[str, View] = {}
        self.rules: dict[str, list[str]] = {}
        """Statements by component."""


def imported(text: str) -> dict[str, Imported]:
    """Import a text below the root: the contexts by their path. Raises what ends an import of the original."""
    contexts: dict[str, Imported] = {}
    _import([], json.loads(text), contexts)
    return contexts


def _import(path: list[str], model: dict[str, Any], contexts: dict[str, Imported]) -> None:
    info = model["contextinfo"]
    assert isinstance(info["perms"], dict), "the original looks for its user in there"
    assert "resolver" in info
    name = info["Identifier"]
    here = Imported([*path, name], info["Description"])
    contexts["/".join(here.path)] = here
    for identifier, members in model["components"].items():
        here.components[identifier] = _component(members)
    for identifier, members in model["views"].items():
        here.views[identifier] = View(**members)
    for identifier, by_token in model["subs"].items():
        here.rules[identifier] = [_statement(rule) for rule in by_token.values()]
    for below in (model["contexts"] or {}).values():
        _import(here.path, below, contexts)


def _component(members: dict[str, Any]) -> Component:
    component = Component(**{name: member for name, member in members.items() if name not in NOT_TAKEN})
    for piece in members["evidencelist"]:
        told = Evidence(**piece)
        if component.value_type == "enum" and told.value not in component.value_list:
            raise ValueError(f"{told.value!r} is not in the value list")
        component.evidencelist.append(told)
    return component


def _statement(rule: dict[str, Any]) -> str:
    if set(rule) != RULE_MEMBERS:
        raise ValueError(f"a subscription has exactly {RULE_MEMBERS}")
    statement: str = rule["statement"]
    return statement
