"""What a slice means, in plain words for a person who decides about it."""

from collections.abc import Callable
from typing import Final

from edge_http.apps.words import WHOLE, limits_in_words, path_in_words
from schemas.paths import parse_path
from schemas.slices import Action, Slice

VERBS: Final[dict[Action, str]] = {
    "ask": "see what is there",
    "tell": "write into it: tell new values, and take its own back",
    "make": "make new parts in it",
    "delete": "delete parts of it",
    "rules": "have rules there: they act by themselves when something new is told",
    "notify": "have llum call an address on the internet when its rules act",
}
"""At more length than on the page of apps: here it is new."""

MomentWords = Callable[[float], str]
"""Writes a time (seconds since 1970) by the person's clock."""


def title_of(one: Slice) -> str:
    """Name the places of a slice."""
    if "" in one.paths:
        return _sentence(WHOLE)
    return ", ".join(place_words(path) for path in (*one.paths, *one.components))


def place_words(path: str) -> str:
    """Write a path for people."""
    return path_in_words(parse_path(path))


def limits_of(one: Slice, moment: MomentWords) -> list[str]:
    """Say what limits a slice, one sentence each."""
    said = list(map(_sentence, limits_in_words(one)))
    said += [f"It may not {VERBS[action]}" for action in one.denied]
    if one.since:
        said.append(f"Only what is told after {moment(one.since)}")
    if one.whose_rules:
        said.append(f"For the rules that it has in the model of {one.whose_rules}")
    if one.expires:
        said.append(f"Until {moment(one.expires)}")
    return said


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
