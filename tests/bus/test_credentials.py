"""llum's own credentials, and how they are replaced."""

from pathlib import Path

import pytest

from bus import credentials
from bus.connection import Bus
from bus.credentials import FILE, OwnPassword, ensure, load, replaced, settled, store
from bus.errors import InstallationError
from tests.nats_server import installed_server, kill_and_restart
from tests.waiting import until


def test_only_what_is_named_is_replaced(tmp_path: Path) -> None:
    """The passwords, or the keys of the callout; what was before is kept beside it until it is dropped."""
    old = ensure(tmp_path)
    new = replaced(old, ["passwords"])
    assert new.passwords.keys() == old.passwords.keys()
    assert not set(new.passwords.values()) & set(old.passwords.values())
    assert (new.issuer, new.issuer_public, new.xkey) == (old.issuer, old.issuer_public, old.xkey)
    assert (new.made["callout"], new.before) == (old.made["callout"], old)
    other = replaced(old, ["callout"])
    assert other.passwords == old.passwords
    assert len({other.issuer, old.issuer, other.xkey, old.xkey}) == 4
    assert settled(other).both == (settled(other),)


def test_the_file_is_for_its_user_alone_and_whole(tmp_path: Path) -> None:
    """Also after it was written anew; nothing else is left beside it."""
    ensure(tmp_path)
    new = replaced(load(tmp_path / FILE), ["passwords", "callout"])
    store(tmp_path / FILE, new)
    assert load(tmp_path / FILE) == new
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_a_password_is_asked_for_in_turns_while_two_may_be_right(tmp_path: Path) -> None:
    """The new one first. A file that cannot be read for a moment changes nothing."""
    old = ensure(tmp_path)
    ask = OwnPassword(tmp_path / FILE, "edge")
    assert [ask(), ask()] == [old.passwords["edge"]] * 2
    new = replaced(old, ["passwords"])
    store(tmp_path / FILE, new)
    assert {ask(), ask()} == {new.passwords["edge"], old.passwords["edge"]}
    (tmp_path / FILE).unlink()
    assert {ask(), ask()} == {new.passwords["edge"], old.passwords["edge"]}
    with pytest.raises(InstallationError):
        OwnPassword(tmp_path / FILE, "edge")


@pytest.mark.parametrize("restarted", [False, True])
async def test_whoever_comes_finds_in_whichever_nats_server_goes_by(tmp_path: Path, restarted: bool) -> None:
    """Before nats-server has taken the new password in, and after it; a connection that stands comes back."""
    async with installed_server(tmp_path, 2) as server:
        url = server.url_as("worker")
        standing = await Bus.connect(url, name="standing", password=OwnPassword(tmp_path / FILE, "worker"))
        lost: list[str] = []
        standing.on_disconnect.append(lambda: lost.append("lost"))
        store(tmp_path / FILE, replaced(server.credentials, ["passwords", "callout"]))
        if restarted:
            await kill_and_restart(server)
            await until(lambda: lost and standing.connected, "the connection is back")
        new = await Bus.connect(server.url_as("worker"), name="new", password=OwnPassword(tmp_path / FILE, "worker"))
        assert new.connected
        for bus in (standing, new):
            await bus.flush()
            await bus.close()


def test_one_rotation_ends_before_the_next_begins(tmp_path: Path) -> None:
    """Otherwise those that nats-server goes by could be lost."""
    under_way = replaced(ensure(tmp_path), ["passwords"])
    with pytest.raises(AssertionError):
        credentials.replaced(under_way, ["passwords"])
