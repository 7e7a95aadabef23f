"""The mark of the data folder: which format the log in it has."""

from pathlib import Path

import pytest

from bus.errors import InstallationError
from bus.log_format import FORMAT_FILE, LOG_FORMAT, claim_folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def put(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_a_new_folder_is_marked_before_anything_is_in_it(tmp_path: Path) -> None:
    """It need not exist; claiming it again changes nothing."""
    for _ in range(2):
        claim_folder(tmp_path / "data")
        assert contents(tmp_path / "data") == {FORMAT_FILE: f"{LOG_FORMAT}\n".encode()}


def test_empty_folders_and_logs_of_an_attempt_to_start_do_not_make_it_old(tmp_path: Path) -> None:
    """A start that failed before the first stream was made leaves nothing to lose."""
    (tmp_path / "nats" / "jetstream" / "jetstream" / "$G" / "streams").mkdir(parents=True)
    put(tmp_path / "log" / "supervisor.jsonl", "{}")
    claim_folder(tmp_path)
    assert (tmp_path / FORMAT_FILE).exists()


@pytest.mark.parametrize("file", ["nats/jetstream/jetstream/$G/streams/LLUM_LOG_0/meta.inf", "shards/0.db"])
def test_a_folder_with_data_and_no_mark_has_format_1(tmp_path: Path, file: str) -> None:
    """It is left as it is, for the llum that wrote it."""
    put(tmp_path / file, "old")
    before = contents(tmp_path)
    with pytest.raises(InstallationError) as caught:
        claim_folder(tmp_path)
    assert f"{tmp_path} holds a log of format 1" in caught.value.message
    assert "llum admin person export" in caught.value.hint
    assert contents(tmp_path) == before


@pytest.mark.parametrize(("text", "named"), [("1\n", "1"), ("99\n", "99"), ("", "unknown"), ("two", "unknown")])
def test_a_folder_with_another_mark_is_refused(tmp_path: Path, text: str, named: str) -> None:
    """Also one from the future, or one that makes no sense."""
    put(tmp_path / FORMAT_FILE, text)
    with pytest.raises(InstallationError) as caught:
        claim_folder(tmp_path)
    assert f"format {named}" in caught.value.message
