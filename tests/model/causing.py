"""A model with values from which others follow. What its rules do is said by the tests themselves."""

from collections.abc import Sequence
from typing import Any

from model.changes import Change
from schemas.causes import Cause
from schemas.commands import (
    Derive,
    MakeRule,
    Tell,
    Withdraw,
)
from schemas.definitions import ComponentDefinition, ContextDefinition, ModelDefinition
from schemas.evidence import Evidence, NewEvidence

from .given import Person

NAMES = ("src", "der", "third", "plain")
MODEL = ModelDefinition(
    contexts=[
        ContextDefinition(
            path=["T"], components=[ComponentDefinition(name=name, value_type="number") for name in NAMES]
        )
    ]
)
NEVER = "'a' ~ 'b' : TELL './T/third', explicit:1"
"""A rule; what it does is said here by the tests themselves."""


def given(*with_rules: str) -> Person:
    """Give a model of which these components have a rule."""
    person = Person(MODEL)
    for name in with_rules:
        person.do(MakeRule(id="r", context=["T"], component=name, statement=NEVER))
    return person


def tell(person: Person, name: str = "src", value: Any = 1, app: str = "llum") -> int:
    """Tell something; give the sequence."""
    person.do(Tell(id="t", context=["T"], component=name, evidence=NewEvidence(value=value)), app)
    return person.seq


def because(of: int, cause: str = "src", name: str = "der", value: Any = 42, **members: Any) -> Derive:
    """Make the tell of a rule that a piece has fired."""
    fired = Cause(**{"rule": "7", "root": f"alice.{of}", "depth": 1, "seq": of, "path": ["T", cause], **members})
    return Derive(id="t", context=["T"], component=name, evidence=NewEvidence(value=value), cause=fired)


def follows(person: Person, of: int, cause: str = "src", name: str = "der", value: Any = 42, app: str = "llum") -> int:
    person.do(because(of, cause, name, value), app)
    return person.seq


def withdraw(seq: int, name: str = "src") -> Withdraw:
    return Withdraw(id="w", context=["T"], component=name, seq=seq)


def value(person: Person, name: str = "der") -> Any:
    """Ask from memory, and from what is stored."""
    found = person.answer_at("T", name).value
    person.reload()
    assert person.answer_at("T", name).value == found
    return found


def evidence(person: Person, name: str = "der", app: str = "llum") -> list[Evidence]:
    return list(person.answer_at("T", name, app, include_evidence=True).evidence or [])


def left(changes: Sequence[Change], kind: type) -> list[Any]:
    return [change for change in changes if isinstance(change, kind)]
