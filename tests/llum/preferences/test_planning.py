"""What a capture would tell, an apply would set and an undo would put back; on a machine that is a dictionary."""

from pathlib import Path
from typing import Any

import pytest

from llum.failures import Fault
from llum.preferences_targets.applying import applied, put_back
from llum.preferences_targets.keeping import BeforeApply
from llum.preferences_targets.planning import (
    ABSENT,
    CHANGED,
    LOCAL,
    UNKNOWN,
    SettingPlan,
    in_words,
    to_apply,
    to_capture,
    to_undo,
)
from llum.preferences_targets.target import MachineSetting, NotTaken, SettingPlace
from model.preferences.codex import Term

SIZE, DARK, SOUND, SCREEN = ("look", "size"), ("look", "dark"), ("sound", "on"), ("screen", "scale")
KNOWN = {
    ("look",): Term("A group, which is no setting", ""),
    SIZE: Term("Size of text", "", {"type": "number"}, unit="times"),
    DARK: Term("Light or dark", "", {"enum": ["d", "l"], "enumLabels": ["dark", "light"]}),
    SOUND: Term("Sounds", "", {"type": "boolean"}),
    SCREEN: Term("Scale of the screen", "", {}, local=True),
}
DEFAULTS = {SIZE: 1.0, DARK: "l", SOUND: True, SCREEN: 1}


class Machine:
    """Settings in memory; those that are `fixed` take nothing."""

    title, view = "machine", "memory"

    def __init__(self, **defaults: Any) -> None:
        self.set: dict[SettingPlace, Any] = {}
        self.fixed: set[SettingPlace] = set()
        self.dies_at: SettingPlace | None = None
        self.has_set_then = False
        """Whether it dies when the setting is set already."""

    def read(self) -> dict[SettingPlace, MachineSetting]:
        return {place: MachineSetting(self.set.get(place, value), value) for place, value in DEFAULTS.items()}

    def why_not(self, place: SettingPlace, value: Any) -> str | None:
        return "it is negative" if value == -1 else None

    def put(self, place: SettingPlace, value: Any) -> None:
        if place == self.dies_at:
            if self.has_set_then:
                self.set[place] = value
            raise Fault("the session has ended")
        if place in self.fixed:
            raise NotTaken("it is fixed")
        self.set[place] = value

    def reset(self, place: SettingPlace) -> None:
        self.set.pop(place, None)

    def apply(self, wanted: dict[str, Any], before: BeforeApply) -> SettingPlan:
        return applied(to_apply(wanted, self.read(), KNOWN, self), self, before)

    def undo(self, before: BeforeApply) -> SettingPlan:
        return put_back(to_undo(before.read(), self.read()), self, before)


@pytest.fixture
def before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BeforeApply:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return BeforeApply("machine")


def changes(plan: SettingPlan) -> dict[SettingPlace, tuple[Any, Any]]:
    return {one.place: (one.old, one.new) for one in plan.changes}


def skipped(plan: SettingPlan) -> dict[SettingPlace, str]:
    return {one.place: one.why for one in plan.skipped}


def test_a_capture_tells_what_the_person_has_set_and_the_model_has_not() -> None:
    """What belongs to this machine alone is left out, and said; what is as it came is told only if one asks for all."""
    machine = Machine()
    machine.set = {SIZE: 1.5, SOUND: False, SCREEN: 2}
    told = {"look": {"size": 2.0}, "sound": {"on": False}}
    plan = to_capture(machine.read(), KNOWN, told, also_unset=False)
    assert (changes(plan), skipped(plan), plan.alike) == ({SIZE: (2.0, 1.5)}, {SCREEN: LOCAL}, 1)
    everything = to_capture(machine.read(), KNOWN, told, also_unset=True)
    assert changes(everything) == {SIZE: (2.0, 1.5), DARK: (None, "l")}


def test_an_apply_says_what_changes_and_why_the_rest_does_not() -> None:
    """Nothing that no ontology names is set, whoever has said it."""
    machine = Machine()
    wanted = {
        "look": {"size": 1.5, "dark": "l"},
        "sound": {"on": -1},
        "screen": {"scale": 2},
        "keys": {"command": "rm"},
        "gone": 1,
    }
    known = KNOWN | {("gone",): Term("Gone", "")}
    plan = to_apply(wanted, machine.read(), known, machine)
    assert (changes(plan), plan.alike) == ({SIZE: (1.0, 1.5)}, 1)
    assert skipped(plan) == {
        SOUND: "it is negative",
        SCREEN: LOCAL,
        ("keys", "command"): UNKNOWN,
        ("gone",): ABSENT,
    }


def test_an_undo_gives_back_the_machine_as_it_was_before_the_first_apply(before: BeforeApply) -> None:
    """What was not set is reset, not set to the same value; and then there is nothing left to undo."""
    machine = Machine()
    machine.set = {SOUND: False}
    machine.apply({"look": {"size": 1.5}, "sound": {"on": True}}, before)
    machine.apply({"look": {"size": 2.0, "dark": "d"}}, before)
    assert machine.set == {SOUND: True, SIZE: 2.0, DARK: "d"}
    assert before.file.stat().st_mode & 0o777 == 0o600
    machine.undo(before)
    assert machine.set == {SOUND: False}
    assert not before.file.exists()


def test_an_undo_leaves_what_the_person_has_changed_since(before: BeforeApply) -> None:
    """And says so; the other settings go back. A later apply counts from there."""
    machine = Machine()
    machine.apply({"look": {"size": 1.5, "dark": "d"}}, before)
    machine.set[SIZE] = 1.25
    assert skipped(to_undo(before.read(), machine.read())) == {SIZE: CHANGED}
    machine.apply({"look": {"size": 3.0}}, before)
    machine.undo(before)
    assert machine.set == {SIZE: 1.25}


@pytest.mark.parametrize("has_set", [False, True])
def test_an_apply_that_breaks_off_can_be_undone(before: BeforeApply, has_set: bool) -> None:
    """Before or after a setting is set; a second one that breaks off keeps what the first has to be undone."""
    machine = Machine()
    machine.has_set_then = has_set
    machine.apply({"look": {"size": 1.5}}, before)
    machine.dies_at = DARK
    with pytest.raises(Fault):
        machine.apply({"sound": {"on": False}, "look": {"dark": "d", "size": 2.0}}, before)
    machine.dies_at = None
    assert machine.set == {SIZE: 1.5, SOUND: False} | ({DARK: "d"} if has_set else {})
    machine.undo(before)
    assert machine.set == {}


def test_the_first_setting_can_be_undone_though_it_broke_off(before: BeforeApply) -> None:
    """There is no other that would keep it."""
    machine = Machine()
    machine.dies_at, machine.has_set_then = DARK, True
    with pytest.raises(Fault):
        machine.apply({"look": {"dark": "d"}}, before)
    machine.undo(before)
    assert machine.set == {}


def test_what_is_not_taken_is_skipped_and_kept_for_the_next_undo(before: BeforeApply) -> None:
    """One setting that refuses stops none of the others."""
    machine = Machine()
    machine.fixed = {DARK}
    plan = machine.apply({"look": {"dark": "d", "size": 1.5}}, before)
    assert (changes(plan), skipped(plan)) == ({SIZE: (1.0, 1.5)}, {DARK: "it is fixed"})
    machine.set[SOUND] = False
    machine.fixed = set()
    machine.apply({"sound": {"on": True}}, before)
    machine.fixed = {SOUND}
    assert skipped(machine.undo(before)) == {SOUND: "it is fixed"}
    machine.fixed = set()
    machine.undo(before)
    assert machine.set == {SOUND: False}


def test_a_file_that_cannot_be_read_is_a_fault(before: BeforeApply) -> None:
    """It is named, and nothing is overwritten."""
    before.file.parent.mkdir(parents=True)
    before.file.write_text("{")
    with pytest.raises(Fault, match=r"machine\.json"):
        Machine().apply({"look": {"size": 2.0}}, before)
    assert before.file.read_text() == "{"


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (SIZE, 1.5, "1.5 times"),
        (DARK, "d", "dark"),
        (DARK, "other", "other"),
        (SOUND, False, "off"),
        (SOUND, None, "not said"),
        (SCREEN, ["a"], '["a"]'),
        (SCREEN, "", "nothing"),
    ],
)
def test_values_are_in_plain_words(place: SettingPlace, value: Any, words: str) -> None:
    """With the labels and units of the ontology."""
    assert in_words(value, KNOWN[place]) == words
