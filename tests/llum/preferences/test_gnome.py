"""GNOME's settings by the real `gsettings`, in a session of their own."""

import pytest

from llum.failures import Fault
from llum.preferences_targets.gnome import Gnome
from llum.preferences_targets.target import NotTaken
from tests.desktop import Desktop

INTERFACE = "org.gnome.desktop.interface"
SCALING = (INTERFACE, "text-scaling-factor")
SCHEME = (INTERFACE, "color-scheme")
DELAY = ("org.gnome.desktop.peripherals.keyboard", "delay")
NAMES = ("org.gnome.desktop.wm.preferences", "workspace-names")


def test_what_is_put_is_there_for_every_program_until_it_is_reset(desktop: Desktop) -> None:
    """Each kind of value: numbers, a choice, a list; afterwards the desktop is as it was."""
    before, gnome = desktop.all(), Gnome()
    wanted = {SCALING: 1.5, SCHEME: "prefer-dark", DELAY: 300.0, NAMES: ["it's", 'a "b"', "ü"]}
    for place, value in wanted.items():
        assert gnome.why_not(place, value) is None
        gnome.put(place, value)
    here = gnome.read()
    assert {place: here[place].value for place in wanted} == wanted
    assert desktop.gsettings("get", *SCHEME) == "'prefer-dark'\n"
    assert [place for place, setting in here.items() if setting.is_set] == sorted(wanted, key=list(here).index)
    for place in wanted:
        gnome.reset(place)
    assert desktop.all() == before


@pytest.mark.parametrize(
    ("place", "value", "why"),
    [
        (SCALING, 9.5, "it goes from 0.5 to 3.0 here"),
        (SCALING, "large", "it is a number here"),
        (SCALING, True, "it is a number here"),
        (SCHEME, "neon", "it can be default, prefer-dark, prefer-light"),
        (DELAY, 300.5, "it is a whole number here"),
        ((INTERFACE, "enable-animations"), 1, "it is on or off here"),
        (("org.gtk.Settings.ColorChooser", "selected-color"), [1], "it is of another kind here"),
    ],
)
def test_what_a_setting_cannot_be_is_known_beforehand(desktop: Desktop, place, value: object, why: str) -> None:
    """In words that name what it can be."""
    assert Gnome().why_not(place, value) == why


def test_what_gsettings_refuses_says_so(desktop: Desktop) -> None:
    """One setting is not taken, in the words of gsettings: no traceback."""
    with pytest.raises(NotTaken, match="outside of the valid range"):
        Gnome().put(SCALING, 9.5)


def test_without_a_session_nothing_is_said_to_be_stored(desktop: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program `gsettings` itself ends as if it had been."""
    desktop.set(*SCHEME, "'prefer-dark'")
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
    with pytest.raises(
        Fault, match=r"has not stored the setting org\.gnome\.desktop\.interface text-scaling"
    ) as caught:
        Gnome().put(SCALING, 1.5)
    assert "D-Bus session" in (caught.value.hint or "")
    with pytest.raises(Fault, match="has not stored"):
        Gnome().reset(SCHEME)


def test_without_the_program_there_is_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which package has it."""
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(Fault, match="no program gsettings") as caught:
        Gnome().read()
    assert "libglib2.0-bin" in (caught.value.hint or "")
