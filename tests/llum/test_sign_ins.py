"""The sign-ins of a command line: whom it speaks for, and what it says when it may not."""

import time
from pathlib import Path

import pytest

from bus import credentials
from bus.errors import InstallationError
from llum.failures import Fault
from llum.people.sign_ins import SignIn, SignIns, sign_in_command
from llum.running import find
from llum.settings import Settings

TOKEN = "llum_secret"


def signed_in(user: str, expires: float | None = None) -> SignIn:
    return SignIn(user, "llum", TOKEN, time.time() + 60 if expires is None else expires)


def test_a_sign_in_is_kept_for_the_llum_that_it_was_made_for(tmp_path: Path) -> None:
    """Another data folder has other people."""
    file = tmp_path / "config" / "sign-ins.json"
    here, there = Settings(data_dir=tmp_path / "here"), Settings(data_dir=tmp_path / "there")
    SignIns(here, file).keep(signed_in("alice"))
    assert SignIns(here, file).good("alice", "llum").token == TOKEN
    assert SignIns(there, file).find("alice", "llum") is None
    assert SignIns(here, file).find("bob", "llum") is None


def test_nobody_else_can_read_the_file(tmp_path: Path) -> None:
    """It holds tokens; whoever may write it has made its folder as it is."""
    file = tmp_path / "config" / "sign-ins.json"
    SignIns(Settings(), file).keep(signed_in("alice"))
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_a_newer_sign_in_takes_the_place_of_an_older_one(tmp_path: Path) -> None:
    """And leaves those of other people; a sign-out takes one away."""
    sign_ins = SignIns(Settings(), tmp_path / "sign-ins.json")
    for one in (signed_in("alice", 1e11), signed_in("bob"), signed_in("alice", 2e11)):
        sign_ins.keep(one)
    assert sign_ins.good("alice", "llum").expires == 2e11
    dropped = sign_ins.drop("alice", "llum")
    assert dropped is not None
    assert dropped.expires == 2e11
    assert sign_ins.drop("alice", "llum") is None
    assert sign_ins.find("bob", "llum") is not None


def test_who_has_not_signed_in_reads_how_to(tmp_path: Path) -> None:
    """The command works as it stands, for the data folder that was named, too."""
    sign_ins = SignIns(Settings(data_dir=Path("else where")), tmp_path / "sign-ins.json")
    with pytest.raises(Fault, match="this command line has not signed in as alice") as caught:
        sign_ins.good("alice", "llum")
    assert "`llum sign-in alice --data-dir 'else where'`" in (caught.value.hint or "")
    assert sign_in_command(Settings(), "alice") == "llum sign-in alice"


def test_a_sign_in_that_has_expired_is_called_that(tmp_path: Path) -> None:
    """Not one that never was."""
    sign_ins = SignIns(Settings(), tmp_path / "sign-ins.json")
    sign_ins.keep(signed_in("alice", time.time() - 1))
    assert sign_ins.find("alice", "llum") is None
    with pytest.raises(Fault, match="the sign-in as alice has expired"):
        sign_ins.good("alice", "llum")


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    """It is not taken for an empty one, which would be written over it."""
    file = tmp_path / "sign-ins.json"
    file.write_text("{")
    with pytest.raises(Fault, match=r"cannot read .*sign-ins\.json"):
        SignIns(Settings(), file).keep(signed_in("alice"))
    assert file.read_text() == "{"


def unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let files be another user's, also for root."""

    def refuse(_self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)


def test_credentials_of_another_user_are_not_taken_for_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who may read them is said."""
    credentials.ensure(tmp_path)
    unreadable(monkeypatch)
    with pytest.raises(InstallationError, match="Permission denied") as caught:
        credentials.load(tmp_path / credentials.FILE)
    assert "the user that llum runs as" in (caught.value.hint or "")


def test_credentials_that_others_can_read_are_refused(tmp_path: Path) -> None:
    """Who has read them may be somebody else; the command that closes them is named."""
    credentials.ensure(tmp_path)
    file = tmp_path / credentials.FILE
    file.chmod(0o640)
    with pytest.raises(InstallationError, match="can be read by others") as caught:
        credentials.load(file)
    assert f"chmod 600 {file}" in (caught.value.hint or "")


def test_missing_credentials_are_named_with_the_way_to_name_others(tmp_path: Path) -> None:
    """As on a machine that speaks to a llum elsewhere."""
    with pytest.raises(InstallationError, match="llum's own credentials are not here") as caught:
        credentials.load(tmp_path / credentials.FILE)
    assert "LLUM_CREDENTIALS" in (caught.value.hint or "")


def test_the_folder_of_another_user_is_not_taken_for_one_where_no_llum_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To start one there would not help."""
    unreadable(monkeypatch)
    with pytest.raises(Fault, match=r"cannot look into .*: Permission denied"):
        find(tmp_path)
