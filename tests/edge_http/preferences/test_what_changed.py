"""What an event says about a safe, and how two states of one differ."""

import pytest

from edge_http.preferences.what_changed import ChangedSetting, change_in, differing, setting_at
from schemas.events import Event

PLACE = ("Preferences",)
JOINED = ("Preferences", "_joined", "card")


def event(*paths: tuple[str, ...], verb: str = "put_preferences") -> Event:
    return Event(user="alice", app="phone", verb=verb, seq=7, time=5.0, paths=[list(path) for path in paths])


def told(*paths: tuple[str, ...], place: tuple[str, ...] = PLACE, verb: str = "put_preferences") -> object:
    """Name the settings of a change, or say what else it is."""
    change = change_in(event(*paths, verb=verb), place)
    if change is None or change.what != "settings":
        return change and change.what
    return [setting_at(path, place) for path in change.paths]


def test_a_setting_is_named_by_view_set_and_path() -> None:
    """Its path is written as in metadata; the contexts that were made for it are not changes of their own."""
    setting = ("Preferences", "flat", "gpii-default", "http://x.y/size")
    nested = ("Preferences", "ISO24751", "gpii-default", "display", "fontSize")
    around = [(), *(nested[:length] for length in range(1, len(nested)))]
    assert told(setting) == [ChangedSetting("flat", "gpii-default", "http://x\\.y/size")]
    assert told(*around, nested) == [ChangedSetting("ISO24751", "gpii-default", "display.fontSize")]


def test_the_rest_of_a_view_is_no_setting() -> None:
    """Its order, names and metadata change without one."""
    assert told(("Preferences", "flat", "_set")) == [None]


@pytest.mark.parametrize(
    "path",
    [("Sport", "steps"), ("Preferences", "_joined", "card", "flat", "gpii-default", "size"), ("Safe", "updated")],
)
def test_what_is_elsewhere_is_no_change(path: tuple[str, ...]) -> None:
    """Neither other parts of the model, nor safes that are joined to it."""
    assert told(path) is None


def test_a_joined_safe_hears_of_itself_alone() -> None:
    """Not of the person's own preferences, in which its place is."""
    within = (*JOINED, "flat", "gpii-default", "size")
    assert told(within, place=JOINED) == [ChangedSetting("flat", "gpii-default", "size")]
    assert told(("Preferences", "flat", "gpii-default", "size"), place=JOINED) is None


@pytest.mark.parametrize(
    "path", [(), ("Preferences",), ("Preferences", "flat"), ("Preferences", "flat", "gpii-default")]
)
def test_what_cannot_be_named_is_more(path: tuple[str, ...]) -> None:
    """As when a context is deleted, or a command touches more than an event can name."""
    assert told(path) == "more"


@pytest.mark.parametrize("verb", ["consent", "set_permission", "register_app", "delete_app"])
def test_what_changes_rights_names_no_setting(verb: str) -> None:
    """A permission for one setting leaves it as it is."""
    assert told(("Preferences", "flat", "gpii-default", "size"), verb=verb) == "rights"


def sets(**preferences: object) -> dict[str, object]:
    return {"flat": {"contexts": {"gpii-default": {"preferences": preferences}}}}


def test_states_differ_in_what_was_set_changed_and_unset() -> None:
    """By value: 1 is not true."""
    before, after = sets(same=1, other=1, gone={"deep": 1}), sets(same=1, other=True, new=[])
    named = differing(before, after)
    assert named is not None
    assert [one.term for one in named] == ["other", "gone.deep", "new"]


def test_equal_states_do_not_differ_and_a_new_name_of_a_view_does() -> None:
    """Without any setting that could be named."""
    assert differing(sets(a=1), sets(a=1)) is None
    assert differing(sets(a=1), {"flat": {**sets(a=1)["flat"], "name": "mine"}}) == []  # type: ignore[dict-item]


@pytest.mark.parametrize("stored", [{"contexts": None}, {"contexts": {"a": None}}, {"contexts": {"a": {}}}, {}])
def test_odd_stored_sets_hold_nothing(stored: dict[str, object]) -> None:
    """What the original stored without looking at it ends no feed."""
    assert differing({"flat": stored}, {"flat": stored}) is None
