"""Answers as text for people."""

from llum.cli.render import because, evidence_table, explanation, in_zone, moment, table, tree
from schemas.evidence import Evidence, EvidenceCause, Withdrawal
from schemas.explaining import Explanation, Reason
from schemas.replies import ComponentAnswer


def piece(value: object, seq: int, **members: object) -> Evidence:
    return Evidence(seq=seq, value=value, source="probe", owner="alice", time=0.0, creation_time=0.0, **members)  # type: ignore[arg-type]


def test_table_is_aligned_and_cut() -> None:
    """Columns line up; long cells end in an ellipsis; the last column is whole."""
    long = "x" * 200
    lines = table(("a", "b", "c"), [("1", long, long), ("22", "y", "z")]).splitlines()
    assert lines[1] == "1   " + "x" * 59 + "…  " + long
    assert lines[2] == "22  y" + " " * 61 + "z"


def test_evidence_that_does_not_count_is_marked() -> None:
    """What was withdrawn, and what is more than a day ahead; what counts has no mark."""
    taken_back = piece("a", 1, withdrawn=Withdrawal(by="llum", time=1.0))
    lines = evidence_table([taken_back, piece("b", 2), piece("c", 3)], ahead=[(3, 0)]).splitlines()
    assert [("(withdrawn)" in line, "(ahead)" in line) for line in lines[1:]] == [
        (True, False),
        (False, False),
        (False, True),
    ]


def test_tree_is_indented() -> None:
    """A level is two spaces."""
    assert tree({"Goals": {"Health": {}}, "Personal": {}}) == "  Goals\n    Health\n  Personal"


def test_explanation_names_what_was_used_and_what_was_left_out() -> None:
    """Resolver, filter, right, the evidence, and the reasons against the rest."""
    why = Explanation(
        resolver="default",
        resolver_from="component",
        evidence_filter="last10",
        grant="Personal",
        evaluated_at=0.0,
        used=[piece("Al", 2, flags=["a"], comment="so he says")],
        left_out=[Reason(reason="older", count=3, examples=[piece("Alice", 1)]), Reason(reason="expired", count=1)],
    )
    text = explanation(ComponentAnswer(path=["Personal", "firstname"], value="Al", explanation=why))
    at = moment(0.0)
    assert text.splitlines() == [
        "because resolver default (set for the component) saw this evidence (filter last10), "
        "asked by the permission at Personal:",
        f'  used: "Al", explicit, told by probe at {at}, seq 2 flags a (so he says)',
        "  left out: 3 older",
        f'    "Alice", explicit, told by probe at {at}, seq 1',
        "  left out: 1 expired",
    ]


def test_time_beyond_every_calendar_is_shown_as_a_number() -> None:
    """A teller may claim any time."""
    assert moment(1e300) == "1e+300"


def test_a_time_is_shown_by_the_clock_of_a_zone() -> None:
    """With the zone's name; one that this machine does not know is shown by its own clock."""
    assert in_zone(1_790_000_040, "Europe/Amsterdam") == "2026-09-21 16:14 Europe/Amsterdam"
    assert in_zone(1_790_000_041, "Asia/Tokyo") == "2026-09-21 23:14:01 Asia/Tokyo"
    assert in_zone(1_790_000_041, "Mars/Olympus") == moment(1_790_000_041)


def test_an_explanation_names_what_a_rule_has_told_something_for() -> None:
    """The piece that has fired the rule, here or in another person's model, and what the rule has read beside it."""
    fired = EvidenceCause(seq=7, n=1, path=["T", "src"], read=["./T/limit", "bob/Location/place"])
    assert because(piece("Al", 2)) == ""
    assert because(piece("Al", 2, rule="5")) == ", by rule 5"
    told = because(piece("Al", 2, rule="5", cause=fired))
    assert told == ", by rule 5 because of T/src seq 7.1, which also read ./T/limit, bob/Location/place"
    elsewhere = because(piece("Al", 2, rule="5", cause=EvidenceCause(seq=7, person="alice")))
    assert elsewhere == ", by rule 5 because of the model of alice, seq 7"
