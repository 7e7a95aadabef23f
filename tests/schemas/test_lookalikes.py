"""Names that look like others are pointed out to the owner."""

import pytest

from schemas.lookalikes import looks_like, warnings


@pytest.mark.parametrize(
    ("one", "other"),
    [("paypal", "\u0440\u0430ypal"), ("last1", "lastl"), ("O2", "02"), ("modern", "modem"), ("S", "\u0405")],
    ids=["Cyrillic", "1 and l", "O and 0", "rn and m", "one capital"],
)
def test_names_that_look_alike_are_found(one: str, other: str) -> None:
    """In whatever order they are listed, and among others."""
    for names in ([one, "clearly", other], [other, one, "different"]):
        assert looks_like(names) == {one: [other], other: [one]}


def test_one_line_for_each_group() -> None:
    """It says how many names there are: they look like one."""
    assert warnings(["a", "paypal", "\u0440aypal"]) == ["look twice: paypal, \u0440aypal are 2 names"]


def test_a_name_that_imitates_what_is_not_there() -> None:
    """It mixes scripts, which a name of one language does not."""
    assert warnings(["\u0440aypal"]) == ["look twice: \u0440aypal has letters of several scripts that look alike"]
    assert warnings(["Грегор", "名前", "Personal", "firstname", "\U0001f469\u200d\U0001f680"]) == []


def test_a_name_that_is_listed_twice_is_one() -> None:
    """A component and a view may be called alike."""
    assert warnings(["name", "name"]) == []
