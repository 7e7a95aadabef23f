"""Paths of preferences answer without a token only where the operator has opened them and knows who reaches them."""

from typing import Any

import pytest

from llum.failures import Fault
from llum.processes.reached import openness_of
from llum.settings import Settings

HERE = (
    {},
    {"http_host": "localhost"},
    {"http_host": "127.0.0.2"},
    {"http_host": "::1"},
    {"public_url": "http://[::1]:9"},
)
BEYOND = (
    {"http_host": "0.0.0.0"},
    {"http_host": "::"},
    {"http_host": "192.168.1.4"},
    {"http_host": "llum.example"},
    {"public_url": "https://llum.example"},
    {"proxies": "127.0.0.1"},
)


@pytest.mark.parametrize("where", [*HERE, *BEYOND])
def test_they_are_closed_by_default(where: dict[str, Any]) -> None:
    """Wherever llum is reached from; the second switch alone opens nothing."""
    assert openness_of(Settings(**where)) == "closed"
    assert openness_of(Settings(preferences_open_anywhere=True, **where)) == "closed"


@pytest.mark.parametrize("where", HERE)
def test_one_switch_opens_them_on_this_machine(where: dict[str, Any]) -> None:
    """Nobody else reaches them there."""
    assert openness_of(Settings(preferences_open=True, **where)) == "here"


@pytest.mark.parametrize("where", BEYOND)
def test_beyond_this_machine_it_takes_a_second_switch(where: dict[str, Any]) -> None:
    """The fault names the setting by which others reach llum, and the way out."""
    with pytest.raises(Fault, match=next(iter(where))) as fault:
        openness_of(Settings(preferences_open=True, **where))
    assert "preferences_open_anywhere" in str(fault.value)
    opened = Settings(preferences_open=True, preferences_open_anywhere=True, **where)
    assert openness_of(opened) == "anywhere"
