"""What a preview says in words, and when the command asks."""

from typing import Any

import pytest
from click import unstyle
from click.testing import CliRunner

from llum.cli.commands import withdrawing
from llum.cli.consequences import in_words, is_more
from llum.cli.parameters import PieceName
from llum.cli.render import moment
from schemas.consequences import ChangedValue, GoingPiece, GoingRule, ReachedModel, SentNotice, Uncounted
from schemas.errors import Code, Error
from schemas.replies import Accepted, ConsequencesReply

PIECE = GoingPiece(path=["Sport", "steps"], seq=17, value=9000, source="phone", creation_time=0.0)
DERIVED = GoingPiece(path=["Sport", "fit"], seq=18, n=2, value="very", source="coach", creation_time=0.0, rule="5")
WHOLE = ConsequencesReply(
    seq=20,
    values=[
        ChangedValue(path=["Sport", "steps"], before=9000, after=4000),
        ChangedValue(path=["Sport", "fit"], before="very", error_after=Error(Code.RESOLVER_FAILED, "no")),
        ChangedValue(path=["Sport", "old"], before=None, goes=True),
    ],
    pieces=[PIECE, DERIVED],
    rules=[GoingRule(path=["Sport", "old"], token="3", app="coach")],
    notices=[SentNotice(app="coach", rule="6", time=0.0, method="POST", url="https://hooks.example")],
    elsewhere=[ReachedModel(person="bob", path=["Friends", "alice"], app="coach", rule="7", time=0.0)],
    cut=Uncounted(values=3, pieces=1, unseen=True),
)


def test_all_of_it_is_said() -> None:
    """A table for each kind of thing, and what there is no room for."""
    assert unstyle(in_words(WHOLE, None)).splitlines() == [
        "Values that change:",
        "component    now     then",
        "Sport/steps  9000    4000",
        'Sport/fit    "very"  (resolver_failed)',
        "Sport/old    null    (deleted)",
        "",
        "Evidence that goes:",
        "component    seq   told by        value",
        "Sport/steps  17    phone          9000",
        'Sport/fit    18.2  coach, rule 5  "very"',
        "",
        "Rules that are deleted:",
        "component  rule  app",
        "Sport/old  3     coach",
        "",
        "Rules have called these URLs because of it, which cannot be taken back:",
        f"{'time':{len(moment(0.0))}}  rule  app    call",
        f"{moment(0.0)}  6     coach  POST https://hooks.example",
        "",
        "Rules have told other people's models because of it. It goes there, too, where the rule may still tell:",
        "person  rule  app    component",
        "bob     7     coach  Friends/alice",
        "",
        "And beyond what is shown: values that were not compared (3), pieces of evidence (1), more than was looked at.",
    ]


@pytest.mark.parametrize("width", [40, 80])
def test_it_fits_the_terminal(width: int) -> None:
    """No line is wider, however narrow the terminal is."""
    lines = unstyle(in_words(WHOLE, width)).splitlines()
    assert [line for line in lines if len(line) > width] == []


def test_what_is_forgotten_stays_in_other_peoples_models() -> None:
    """A withdrawal reaches them, and forgetting does not."""
    assert "which stays there:" in in_words(WHOLE, None, forgets=True)
    assert "which stays there:" not in in_words(WHOLE, None)


def test_nothing_changes() -> None:
    """A piece that decided nothing goes, and that is all."""
    text = in_words(ConsequencesReply(seq=1, pieces=[PIECE]), 80)
    assert text.startswith("No value changes.\n\nEvidence that goes:")


@pytest.mark.parametrize(
    ("reply", "more"),
    [
        (ConsequencesReply(seq=1, pieces=[PIECE], values=WHOLE.values), False),
        (ConsequencesReply(seq=1, pieces=[PIECE, DERIVED]), True),
        (ConsequencesReply(seq=1, pieces=[PIECE], notices=WHOLE.notices), True),
        (ConsequencesReply(seq=1, pieces=[PIECE], elsewhere=WHOLE.elsewhere), True),
        (ConsequencesReply(seq=1, pieces=[PIECE], cut=Uncounted(pieces=2)), True),
    ],
)
def test_only_what_follows_is_more(reply: ConsequencesReply, more: bool) -> None:
    """The value of its own component is what a withdrawal is for."""
    assert is_more(reply) == more


@pytest.mark.parametrize(("text", "piece"), [("17", (17, 0)), ("17.2", (17, 2)), ("2.0", (2, 0))])
def test_a_piece_is_named_as_it_is_shown(text: str, piece: tuple[int, int]) -> None:
    """The sequence of its command, and which of its pieces it is."""
    assert PieceName().convert(text, None, None) == piece


class Served:
    """Stands for a running llum: gives these replies, and notes what is withdrawn."""

    def __init__(self, reply: ConsequencesReply) -> None:
        self.reply = reply
        self.withdrawn: list[Any] = []

    def of(self, _user: str) -> None:
        return None

    async def consequences(self, *_what: Any) -> ConsequencesReply:
        return self.reply

    async def withdraw(self, *what: Any, comment: str | None) -> Accepted:
        self.withdrawn.append((*what, comment))
        return Accepted(id="w", seq=21)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Served:
    llum = Served(WHOLE)

    def with_person(_settings: Any, _user: str, use: Any, _app: str) -> Any:
        with pytest.raises(StopIteration) as done:
            use(llum).send(None)
        return done.value.value

    monkeypatch.setattr(withdrawing, "with_person", with_person)
    return llum


def run(*arguments: str, typed: str = "") -> Any:
    return CliRunner().invoke(withdrawing.withdraw, ["alice", "Sport/steps", "17", *arguments], input=typed)


def test_a_preview_does_nothing(served: Served) -> None:
    """It says what would follow."""
    assert "Evidence that goes:" in run("--preview").output
    assert run("--preview", "--json").output.startswith('{"reply":"consequences"')
    assert served.withdrawn == []


def test_it_asks_when_something_follows(served: Served) -> None:
    """What follows stands above the question; a no changes nothing."""
    ran = run(typed="n\n")
    assert ran.exit_code == 1
    assert ran.output.index("Evidence that goes:") < ran.output.index("Withdraw all of this?")
    assert "nothing was withdrawn" in ran.output
    assert served.withdrawn == []
    assert "withdrawn, sequence 21" in run(typed="y\n").output
    assert served.withdrawn == [("alice", "Sport/steps", 17, 0, None)]


def test_it_does_not_ask_when_nothing_follows(served: Served) -> None:
    """Nor when it is told not to."""
    served.reply = ConsequencesReply(seq=20, pieces=[PIECE])
    assert run("--comment", "wrong").output == "withdrawn, sequence 21\n"
    served.reply = WHOLE
    assert run("--yes", "--json").output.startswith('{"outcome":"accepted"')
    assert served.withdrawn == [
        ("alice", "Sport/steps", 17, 0, "wrong"),
        ("alice", "Sport/steps", 17, 0, None),
    ]
