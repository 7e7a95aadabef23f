"""What would follow if something went: a preview is what then happens."""

from typing import Any

import msgspec
import pytest

from model.commands import causes
from model.queries import Need, consequences, what_goes
from model.reads import AsOf, Follow
from schemas.apps import RULES_APP
from schemas.causes import Cause
from schemas.commands import Correct, DeleteComponent, DeleteContext, MakeRule, NoteSent, SetResolver, Withdraw
from schemas.consequences import ChangedValue, GoingRule, Uncounted
from schemas.errors import Code, Refusal
from schemas.queries import Consequences
from schemas.replies import ConsequencesReply
from tests.driving import run

from . import causing
from .given import RULE, Person, picture

PERSONAL = ["Personal"]
TO_DELETE = DeleteComponent(id="", context=PERSONAL, component="age")


def withdrawal(component: str, seq: int, n: int = 0) -> Withdraw:
    return Withdraw(id="w", context=PERSONAL, component=component, seq=seq, n=n)


def preview(person: Person, command: Any, app: str = "llum", now: float | None = None) -> ConsequencesReply:
    reply = person.answered(Consequences(command=command), app, now)
    assert isinstance(reply, ConsequencesReply)
    return reply


def refused(person: Person, command: Any, app: str = "llum") -> Any:
    return person.refuses_ask(Consequences(command=command), app)


def changed(reply: ConsequencesReply) -> dict[str, tuple[Any, Any]]:
    """Give the values before and after by path."""
    return {"/".join(one.path): (one.before, one.after) for one in reply.values}


def test_the_value_before_and_after_is_said() -> None:
    """Of the newest evidence, what was told before it takes its place; nothing has happened."""
    person = Person()
    person.tell(value="Al")
    person.tell(value="Bo", app="llum")
    before = picture(person.model)
    reply = preview(person, withdrawal("firstname", 3))
    assert changed(reply) == {"Personal/firstname": ("Bo", "Al")}
    (piece,) = reply.pieces
    assert (piece.path, piece.seq, piece.n, piece.value, piece.source) == (
        ["Personal", "firstname"],
        3,
        0,
        "Bo",
        "llum",
    )
    assert reply.seq == person.seq
    assert picture(person.model) == before
    assert person.value() == "Bo"


def test_a_value_that_stays_is_not_listed() -> None:
    """The piece is: it goes, though it decides nothing."""
    person = Person()
    person.tell(value="Al")
    person.tell(value="Bo")
    reply = preview(person, withdrawal("firstname", 2))
    assert reply.values == []
    assert [piece.seq for piece in reply.pieces] == [2]


def test_true_is_not_one() -> None:
    """Values are compared as JSON."""
    person = Person()
    person.tell("anything", True)
    person.tell("anything", 1)
    assert changed(preview(person, withdrawal("anything", 3))) == {"Personal/anything": (1, True)}


@pytest.mark.parametrize("resolver", ["sum", "count", "mean", "recent", "goal"])
def test_every_resolver_decides_anew(resolver: str) -> None:
    """Whether it takes the newest piece or all of them."""
    person = Person()
    for value in (3, 4, 8):
        person.tell("age", value, flags=["goal"] if resolver == "goal" else [])
    person.do(SetResolver(id="s", context=PERSONAL, component="age", resolver=resolver))
    (one,) = preview(person, withdrawal("age", 4), now=person.now).values
    person.do(withdrawal("age", 4))
    assert one.after == person.value("age")


def test_a_correction_gives_way_to_the_one_before() -> None:
    """And the last one to what was told."""
    person = Person()
    person.tell(value="Al")
    for value in ("Bo", "Cy"):
        person.do(Correct(id="c", context=PERSONAL, component="firstname", value=value))
    assert changed(preview(person, withdrawal("firstname", 4))) == {"Personal/firstname": ("Cy", "Bo")}
    person.do(withdrawal("firstname", 4))
    assert changed(preview(person, withdrawal("firstname", 3))) == {"Personal/firstname": ("Bo", "Al")}


def test_what_has_expired_by_now_does_not_take_its_place() -> None:
    """Expiry is judged when the question is asked."""
    person = Person()
    person.tell(value="Al")
    person.tell(value="Bo", useby=person.now + 60)
    person.tell(value="Cy")
    late = person.now + 120
    assert changed(preview(person, withdrawal("firstname", 4))) == {"Personal/firstname": ("Cy", "Bo")}
    assert changed(preview(person, withdrawal("firstname", 4), now=late)) == {"Personal/firstname": ("Cy", "Al")}


def test_a_component_goes_with_its_rules() -> None:
    """Its value is listed, and that it goes, also if it had none."""
    person = Person()
    person.tell("age", 5)
    person.do(MakeRule(id="r", context=PERSONAL, component="age", statement=RULE))
    reply = preview(person, TO_DELETE)
    assert reply.values == [ChangedValue(path=["Personal", "age"], before=5, goes=True)]
    assert reply.rules == [GoingRule(path=["Personal", "age"], token="3", app="llum")]
    assert preview(person, DeleteContext(id="", context=["Goals"])).values == [
        ChangedValue(path=["Goals", "Health", "steps"], goes=True)
    ]


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (withdrawal("firstname", 77), Code.NO_SUCH_EVIDENCE),
        (withdrawal("nothing", 2), Code.NO_SUCH_COMPONENT),
        (Withdraw(id="", context=["No"], component="a", seq=2), Code.NO_SUCH_CONTEXT),
        (DeleteContext(id="", context=[]), Code.BAD_PATH),
        (DeleteComponent(id="", context=PERSONAL, component="no"), Code.NO_SUCH_COMPONENT),
    ],
)
def test_what_would_be_refused_is_refused(command: Any, code: Code) -> None:
    """By the same error as the command itself."""
    person = Person()
    person.tell()
    error = refused(person, command)
    assert error.code is code
    assert error == person.refuses(command)


def test_who_may_not_makes_no_work() -> None:
    """What is refused without a look at evidence is refused before a model is loaded."""
    person = Person()
    with pytest.raises(Refusal):
        next(person.begin(Consequences(command=TO_DELETE), "stranger"))
    assert isinstance(next(person.begin(Consequences(command=TO_DELETE))), AsOf)


def test_an_app_looks_at_its_own_alone() -> None:
    """What others have told is not there for it, as for its withdrawal; and it needs what the command needs."""
    person = Person()
    person.register("probe", tell=True, ask=True)
    person.tell(value="Al")
    person.tell(value="Bo", app="probe")
    seq = person.seq
    assert refused(person, withdrawal("firstname", seq - 1), "probe").code is Code.NO_SUCH_EVIDENCE
    assert changed(preview(person, withdrawal("firstname", seq), "probe")) == {"Personal/firstname": ("Bo", "Al")}
    person.permit("probe", delete=False)
    assert refused(person, TO_DELETE, "probe").code is Code.PERMISSION_DENIED
    assert refused(person, withdrawal("firstname", seq), "stranger").code is Code.PERMISSION_DENIED


def test_an_app_sees_values_that_it_may_ask() -> None:
    """Not those of others, nor how many there are; of evidence and rules its own."""
    person = Person()
    person.register("probe", tell=True, ask=False)
    person.tell(value="Al", app="probe")
    person.do(MakeRule(id="r", context=PERSONAL, component="age", statement=RULE))
    reply = preview(person, withdrawal("firstname", 4), "probe")
    assert reply.values == []
    assert [piece.value for piece in reply.pieces] == ["Al"]
    person.permit("probe", delete=True)
    reply = preview(person, TO_DELETE, "probe")
    assert (reply.values, reply.rules, reply.cut) == ([], [], None)
    person.permit("probe", ask=True)
    reply = preview(person, TO_DELETE, "probe")
    assert [one.path for one in reply.values] == [["Personal", "age"]]
    assert reply.rules == []


def test_an_app_that_is_bound_gets_the_value_that_it_always_gets() -> None:
    """That of its resolver."""
    person = Person()
    person.register("probe", tell=True, ask=True, bind_resolver="count")
    person.tell("age", 5, app="probe")
    assert changed(preview(person, withdrawal("age", person.seq), "probe")) == {"Personal/age": (1, 0)}


def test_an_answer_has_bounds_and_says_what_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """How many values and rules have no room."""
    monkeypatch.setattr(consequences, "MAX_CONSEQUENCES", 2)
    person = Person()
    for _ in range(3):
        person.do(MakeRule(id="r", context=PERSONAL, component="age", statement=RULE))
    reply = preview(person, DeleteContext(id="", context=PERSONAL))
    assert (len(reply.values), len(reply.rules)) == (2, 2)
    assert reply.cut == Uncounted(values=4, rules=1)


def test_large_values_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reply holds so many bytes."""
    monkeypatch.setattr(consequences, "MAX_REPLY_BYTES", 1000)
    person = Person()
    for component in ("firstname", "lastname"):
        person.tell(component, "x" * 600)
    reply = preview(person, DeleteContext(id="", context=PERSONAL))
    assert reply.cut is not None
    assert len(reply.values) + reply.cut.values == 6


def test_commands_that_come_meanwhile_change_no_answer() -> None:
    """It is of the state at its beginning, whatever is told, withdrawn or deleted between its steps."""
    person = Person()
    for value in (1, 2, 3):
        person.tell("age", value)
    expected = preview(person, withdrawal("age", 4))
    for stop in range(1, 8):
        busy = Person()
        for value in (1, 2, 3):
            busy.tell("age", value)
        assert interrupted(busy, stop, person.now) == expected


def interrupted(person: Person, stop: int, now: float) -> ConsequencesReply:
    """Answer, and let much happen before a step."""
    steps = 0

    def meet(need: Need) -> Any:
        nonlocal steps
        steps += 1
        if steps == stop:
            person.tell("age", 77)
            person.do(withdrawal("age", 2))
            person.do(TO_DELETE)
        return person.store.meet(need)

    reply = run(person.begin(Consequences(command=withdrawal("age", 4)), now=now), meet)
    assert isinstance(reply, ConsequencesReply)
    return reply


def test_an_answer_survives_the_wire() -> None:
    """As every query and reply does."""
    query = Consequences(command=withdrawal("age", 4))
    assert msgspec.json.decode(msgspec.json.encode(query), type=Consequences) == query


def test_what_rules_have_told_goes_too() -> None:
    """Through chains, with the values that change by it, and the piece that each goes with."""
    person = causing.given("src", "der")
    causing.follows(person, causing.tell(person, value=1), value=10)
    first = causing.tell(person, value=2)
    second = causing.follows(person, first, value=20)
    third = causing.follows(person, second, "der", "third", value=30)
    reply = preview(person, causing.withdraw(first))
    assert changed(reply) == {"T/src": (2, 1), "T/der": (20, 10), "T/third": (30, None)}
    assert [(one.seq, one.cause and one.cause.seq, one.rule) for one in reply.pieces] == [
        (first, None, None),
        (second, first, "7"),
        (third, second, "7"),
    ]
    assert changed(preview(person, DeleteComponent(id="", context=["T"], component="src"))) == {
        "T/src": (2, None),
        "T/der": (20, None),
        "T/third": (30, None),
    }


def test_what_left_the_model_is_said() -> None:
    """Calls that cannot be taken back, and whose model a rule has reached: not what is there now."""
    person = causing.given("src", "der")
    person.register("lim", ask=True, tell=True)
    seq = causing.tell(person, app="lim")
    second = causing.follows(person, seq)
    person.do(note(seq, None), RULES_APP)
    person.do(note(second, "bob", "der"), RULES_APP)
    reply = preview(person, causing.withdraw(seq))
    (notice,), (reached,) = reply.notices, reply.elsewhere
    assert (notice.app, notice.rule, notice.method, notice.url) == ("lim", "7", "POST", "https://hooks.example")
    assert (reached.person, reached.path, reached.app, reached.rule) == ("bob", ["Location", "seen"], "lim", "7")
    assert preview(person, causing.withdraw(seq), "lim").elsewhere == reply.elsewhere
    person.register("other", ask=True, tell=True, delete=True)
    reply = preview(person, DeleteComponent(id="", context=["T"], component="src"), "other")
    assert (reply.notices, reply.elsewhere, reply.pieces) == ([], [], [])
    assert changed(reply) == {"T/src": (1, None), "T/der": (42, None)}


def note(seq: int, whom: str | None, cause: str = "src") -> NoteSent:
    fired = Cause(rule="7", root=f"alice.{seq}", depth=1, seq=seq, path=["T", cause])
    if whom is None:
        return NoteSent(id="s", cause=fired, app="lim", method="POST", url="https://hooks.example")
    return NoteSent(id="s", cause=fired, app="lim", person=whom, path=["Location", "seen"])


def test_an_app_is_not_shown_what_others_told_because_of_its_own() -> None:
    """It sees its own piece, and of its own pieces no cause."""
    person = causing.given("src")
    person.register("lim", ask=True, tell=True)
    seq = causing.tell(person, app="lim")
    causing.follows(person, seq, value=1)
    own = causing.follows(person, seq, value=2, app="lim")
    assert [(one.seq, one.cause) for one in preview(person, causing.withdraw(seq), "lim").pieces] == [
        (seq, None),
        (own, None),
    ]


def test_what_is_too_much_to_be_looked_at_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer is not whole then, and nobody has counted the rest."""
    monkeypatch.setattr(what_goes, "MAX_FURTHER", 1)
    monkeypatch.setattr(causes.what_follows, "__defaults__", (2,))
    person = causing.given("src")
    seq = causing.tell(person)
    for value in range(7):
        causing.follows(person, seq, value=value)
    reply = preview(person, causing.withdraw(seq))
    assert len(reply.pieces) == 1 + 2 * 2
    assert reply.cut == Uncounted(unseen=True)


def test_what_follows_meanwhile_is_not_said() -> None:
    """Of what is derived while the answer is worked out nothing is in it."""
    person = causing.given("src")
    seq = causing.tell(person)
    told = causing.follows(person, seq)
    told_meanwhile: list[int] = []

    def meet(need: Need) -> Any:
        if isinstance(need, Follow):
            told_meanwhile.append(causing.follows(person, seq, value=43))
        return person.store.meet(need)

    reply = run(person.begin(Consequences(command=causing.withdraw(seq))), meet)
    assert isinstance(reply, ConsequencesReply)
    assert told_meanwhile
    assert [one.seq for one in reply.pieces] == [seq, told]
    assert changed(reply) == {"T/src": (1, None), "T/der": (42, None)}
