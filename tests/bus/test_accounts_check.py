"""What nats-server has in its configuration is compared with what llum needs."""

import pytest

from bus.accounts_check import check_number
from bus.errors import InstallationError
from bus.subjects import server_mappings


def test_mappings_to_another_number_are_not_to_be_changed() -> None:
    """llum may have been installed with that number: the setting is what is wrong then."""
    check_number(server_mappings(16), 16)
    with pytest.raises(InstallationError) as caught:
        check_number(server_mappings(16), 64)
    assert "16 partitions, LLUM_PARTITIONS says 64" in caught.value.message
    assert "set LLUM_PARTITIONS=16" in (caught.value.hint or "")


@pytest.mark.parametrize(
    "mappings", [{}, {"llum.cmd.*.*.*": "other.{{partition(16,1)}}"}, dict([*server_mappings(16).items()][:1])]
)
def test_other_mappings_are_to_be_made(mappings: dict[str, str]) -> None:
    """None at all, and what is not llum's."""
    with pytest.raises(InstallationError, match="lacks llum's mappings to 64"):
        check_number(mappings, 64)
