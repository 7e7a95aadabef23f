"""Keys that are no longer needed, and what the command says of keys."""

from pathlib import Path

import pytest

from bus.key_rings import Ring, new_ring, replaced
from llum.bus_address import connected_as
from llum.cli.commands.keys import OWN, RINGS
from llum.failures import Fault
from llum.keys import kinds
from llum.keys.own import rotate_own
from llum.keys.rings import without_unneeded
from llum.settings import Settings
from tests.nats_server import installed_server, kill_and_restart
from tests.waiting import until

DAY_S = 86_400.0
NOW = 1_790_000_000.0


@pytest.fixture
def three() -> Ring:
    """Keys of day 0, day 10 and day 20."""
    ring = new_ring(NOW)
    for day in (10, 20):
        ring = replaced(ring, NOW + day * DAY_S, 10.0, None)
    return ring


def kept_with(ring: Ring, *days: float) -> list[float]:
    """Give the days of the keys that are kept when there are tokens that were made on these days."""
    lifetimes = [(NOW + day * DAY_S, NOW + 100 * DAY_S) for day in days]
    return [(key.made - NOW) / DAY_S for key in without_unneeded(ring, lifetimes).keys]


def test_a_key_is_kept_as_long_as_there_are_tokens_of_its_time(three: Ring) -> None:
    """The newest one always."""
    assert kept_with(three) == [20]
    assert kept_with(three, 5) == [20, 0]
    assert kept_with(three, 15) == [20, 10]
    assert kept_with(three, 5, 15, 25) == [20, 10, 0]
    assert kept_with(three, 25) == [20]


def test_a_token_of_the_moment_of_a_rotation_keeps_both(three: Ring) -> None:
    """It may have been made with either: the new key is used some seconds later, and issuers take a moment."""
    assert kept_with(three, 10 + 30 / DAY_S) == [20, 10, 0]


async def test_somebody_elses_nats_server_takes_its_time(tmp_path: Path) -> None:
    """Nobody is shut out until it has been started anew with the new ones; the next call sees that, and ends it."""
    async with installed_server(tmp_path / "data", 2) as server:
        settings = Settings(data_dir=tmp_path / "data", nats_url=server.url)
        before = server.credentials
        for _ in range(2):
            assert await rotate_own(settings, ["callout"]) == "waits"
        waiting = server.credentials
        assert (waiting.before, waiting.passwords == before.passwords) == (before, False)
        bus = await connected_as(settings, "operator", "test")
        await kill_and_restart(server)
        assert await rotate_own(settings, ["callout"]) == "done"
        assert (server.credentials.before, server.credentials.passwords) == (None, waiting.passwords)
        await until(lambda: bus.connected, "who was connected is back")
        await bus.close()


async def test_where_others_rule_nothing_is_replaced(tmp_path: Path) -> None:
    """The login is theirs."""
    with pytest.raises(Fault, match="a login of its own"):
        await rotate_own(Settings(data_dir=tmp_path, nats_url="nats://me:secret@192.0.2.1"), ["passwords"])


def test_the_command_knows_all_keys() -> None:
    """Each has words for what it is and what it costs."""
    assert tuple(kinds.KINDS) == (*OWN, *RINGS)
    assert set(kinds.WHAT) == set(kinds.COSTS) == set(kinds.COSTS_NOW) == set(kinds.KINDS)
