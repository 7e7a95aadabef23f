"""Time zones by name."""

from datetime import datetime

import pytest

from bus.time_zones import zone_named
from schemas.errors import Code, Refusal


@pytest.mark.parametrize("name", ["UTC", "Europe/Amsterdam", "Australia/Lord_Howe", "Etc/GMT+5"])
def test_a_zone_is_found(name: str) -> None:
    assert zone_named(name).key == name
    assert datetime(2026, 7, 1, tzinfo=zone_named(name)).utcoffset() is not None


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("europe/amsterdam", "Europe/Amsterdam"),
        ("Europe/Amsterdm", "Europe/Amsterdam"),
        ("Amsterdam", "Europe/Amsterdam"),
        ("Mars/Olympus", "write it like"),
        ("Europe", "did you mean Europe/"),
        ("posixrules", "write it like"),
        ("../../etc/localtime", "write it like"),
    ],
)
def test_what_is_no_zone_is_refused_with_what_was_perhaps_meant(name: str, hint: str) -> None:
    """Also a folder of zones, another spelling, and files that lie beside the zones."""
    with pytest.raises(Refusal) as caught:
        zone_named(name)
    assert caught.value.code is Code.BAD_FIELD
    assert caught.value.error.field == "time_zone"
    assert hint in (caught.value.hint or "")
