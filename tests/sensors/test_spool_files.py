"""Removing a person's spools."""

from pathlib import Path

import pytest

from sensors.errors import SensorError
from sensors.spool import Entry, Spool
from sensors.spool_files import check_no_sensor_runs, remove_spools, spools_of


def fill(folder: Path, user: str, app: str, count: int) -> None:
    with Spool(folder, f"{user}.{app}") as spool:
        spool.append(*(Entry(user, app, "tell", b"{}") for _ in range(count)))


def test_the_spools_of_one_person_are_removed_and_counted(tmp_path: Path) -> None:
    """Those of people whose names begin alike stay."""
    for user in ("anna", "anna-maria", "ben"):
        fill(tmp_path, user, "activity", 3)
    fill(tmp_path, "anna", "other", 2)
    assert remove_spools(tmp_path, "anna") == 5
    assert spools_of(tmp_path, "anna") == []
    assert {path.name.split(".")[0] for path in tmp_path.iterdir()} == {"anna-maria", "ben"}
    assert remove_spools(tmp_path, "anna") == 0


def test_a_spool_that_a_sensor_uses_is_not_removed(tmp_path: Path) -> None:
    """The sensor is to be stopped first."""
    with Spool(tmp_path, "anna.activity"), pytest.raises(SensorError) as caught:
        check_no_sensor_runs(tmp_path, "anna")
    assert "stop it" in caught.value.hint
    check_no_sensor_runs(tmp_path, "anna")
    assert spools_of(tmp_path, "anna")


def test_without_a_folder_there_are_no_spools(tmp_path: Path) -> None:
    """And none is made."""
    assert remove_spools(tmp_path / "spool", "anna") == 0
    assert not (tmp_path / "spool").exists()
