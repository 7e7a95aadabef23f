"""Who is wrong when copies of a partition differ."""

from actors.verdict import Vote, wrong_among


def votes(**said: str) -> dict[str, Vote]:
    """Write votes: the value, then `p` for the primary and `a` for a copy that was made anew."""
    return {holder: Vote(text[0], "p" in text[1:], "a" in text[1:]) for holder, text in said.items()}


def test_nobody_is_wrong_where_all_agree() -> None:
    """One alone agrees with itself."""
    assert wrong_among(votes(one="x p")) == wrong_among(votes(one="x p", two="x", three="x")) == frozenset()


def test_the_majority_is_right_even_against_the_primary() -> None:
    """What more than half hold counts, whoever they are."""
    assert wrong_among(votes(one="x p", two="y", three="y")) == {"one"}
    assert wrong_among(votes(one="x p", two="x", three="y a")) == {"three"}


def test_of_two_the_primary_is_right() -> None:
    """And of as many as hold each value."""
    assert wrong_among(votes(one="x p", two="y")) == {"two"}
    assert wrong_among(votes(one="x p", two="x", three="y", four="y")) == {"three", "four"}


def test_a_copy_that_was_made_anew_is_a_second_opinion() -> None:
    """Against it the primary is wrong; once that was made anew too, the primary is right again."""
    assert wrong_among(votes(one="x p", two="y a")) == {"one"}
    assert wrong_among(votes(one="x pa", two="y a")) == {"two"}


def test_nobody_is_judged_where_nothing_tells_who_is_right() -> None:
    """A primary will come."""
    assert wrong_among(votes(one="x", two="y")) == frozenset()
