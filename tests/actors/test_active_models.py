"""The active models of a worker: a bounded number, of which those that are not used lately take little room."""

import pytest

from actors import live
from actors.live import ActiveModels, LiveModel
from schemas.evidence import Evidence
from tests.model.given import Person


def lived(user: str) -> LiveModel:
    """A model that has been told something."""
    person = Person()
    person.tell()
    actor = LiveModel(user, 1, person.model)
    actor.caches = person.caches
    return actor


def known(actor: LiveModel) -> list[tuple[Evidence | None, ...]]:
    """Look at the latest evidence of all components.

    What held last is kept only where a read would be dear; `tests/model/test_fold.py` looks at that.
    """
    found = [actor.caches.latest.get(number) for number in sorted(actor.caches.latest)]
    return [() if one is None else (one.plain, one.goal, one.correction) for one in found]


@pytest.fixture
def actives(monkeypatch: pytest.MonkeyPatch) -> ActiveModels:
    """Four may be active, of which two are kept ready."""
    monkeypatch.setattr(live, "MAX_BUSY_MODELS", 2)
    return ActiveModels(4)


def test_the_one_that_was_unused_for_longest_is_passivated(actives: ActiveModels) -> None:
    """Whether it was busy or rested when it was used last."""
    for user in "abcd":
        actives.activate(0, lived(user))
    actives.get(0, "a")
    actives.get(0, "c")
    actives.activate(0, lived("e"))
    assert len(actives) == 4
    assert [user for user in "abcde" if actives.get(0, user)] == ["a", "c", "d", "e"]


def test_one_that_has_rested_is_what_it_was(actives: ActiveModels) -> None:
    """In its place, with all that it remembered, whether it is looked at or rests again before that."""
    actor = lived("a")
    before = known(actor)
    assert any(one and one[0] is not None for one in before)
    actives.activate(0, actor)
    for user in "bcdbc":
        actives.activate(0, actives.get(0, user) or lived(user))
    assert actives.get(0, "a") is actor
    actor.rest()
    assert known(actor) == before


def test_what_is_passivated_is_gone(actives: ActiveModels) -> None:
    """One of them, or all of a partition; those of others stay."""
    for user in "abcd":
        actives.activate(0 if user < "c" else 1, lived(user))
    actives.passivate(0, "a")
    assert actives.get(0, "a") is None
    actives.activate(1, lived("b"))
    actives.passivate_all(1)
    assert [(number, user) for number in (0, 1) for user in "abcd" if actives.get(number, user)] == [(0, "b")]
