"""Asking: which components, by which resolver, from how many reads."""

import math
from typing import Any

import pytest

from model.elsewhere import Together
from model.queries import Answering, Need
from model.reads import Found, Read
from model.resolvers.latest import BUILT_IN
from model.resolvers.registry import Resolve, Resolved, Resolver, resolved_or_refused
from schemas.commands import Correct, MakeComponent, MakeContext, MakeView
from schemas.definitions import ComponentDefinition, ContextDefinition, ModelDefinition, ViewDefinition
from schemas.errors import Code, Refusal
from schemas.evidence import EvidenceFilter
from schemas.queries import Access, Ask
from schemas.replies import AskReply
from tests.driving import run

from .given import RULE, Person, failed


def reads_of(asking: Answering) -> list[Read]:
    """Take the first step of an ask, which is expected to need evidence."""
    need = next(asking)
    assert isinstance(need, list)
    return need


def replied(asking: Answering, found: list[Found]) -> AskReply:
    """Go on with what was found, to the reply."""
    try:
        need = asking.send(found)
        while True:
            assert isinstance(need, Resolve)
            need = asking.send(resolved_or_refused(need))
    except StopIteration as done:
        reply = done.value
    assert isinstance(reply, AskReply)
    return reply


def names(reply: Any) -> list[str]:
    return ["/".join(answer.path) for answer in reply.components]


def test_a_whole_context_is_answered_in_the_order_of_creation() -> None:
    """Also after a restart, which knows items by their keys only."""
    person = Person()
    for name in "zab":
        person.do(MakeComponent(id="c", context=["Goals"], component=ComponentDefinition(name=name)))
    assert names(person.ask(Ask(context=["Goals"]))) == ["Goals/z", "Goals/a", "Goals/b"]
    person.reload()
    assert names(person.ask(Ask(context=["Goals"]))) == ["Goals/z", "Goals/a", "Goals/b"]


def test_an_answer_says_what_the_component_is() -> None:
    """Definition and time of creation come with the value."""
    person = Person()
    answer = person.answer("mood")
    assert (answer.value_type, answer.value_list, answer.value) == ("enum", ["good", "bad"], None)
    assert answer.creation_time == person.live.time_us / 1e6
    assert answer.evidence is None


def test_a_stored_view_keeps_its_order() -> None:
    """Its names are of its own context, its paths from the root."""
    person = Person()
    person.tell(value="Al")
    reply = person.ask(Ask(context=["Personal"], view="fullname"))
    assert [(answer.path[-1], answer.value) for answer in reply.components] == [("lastname", None), ("firstname", "Al")]


def test_a_list_mixes_names_and_paths() -> None:
    """In its order, also twice the same; what is missing is a failure and the rest is answered."""
    person = Person()
    view = ["age", ["Goals", "Health", "steps"], "age", "nobody", ["Nowhere", "x"], [], ["a\0", "b"], ["Personal"]]
    reply = person.ask(Ask(context=["Personal"], view=view))
    assert names(reply) == ["Personal/age", "Goals/Health/steps", "Personal/age"]
    assert failed(reply) == {
        "Personal/nobody": Code.NO_SUCH_COMPONENT,
        "Nowhere/x": Code.NO_SUCH_CONTEXT,
        "": Code.BAD_PATH,
        "a\0/b": Code.BAD_PATH,
        "Personal": Code.NO_SUCH_COMPONENT,
    }


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        (Ask(context=["Nowhere"]), Code.NO_SUCH_CONTEXT, "context"),
        (Ask(context=["Nowhere"], view=["x"]), Code.NO_SUCH_CONTEXT, "context"),
        (Ask(context=["Personal", ".."]), Code.BAD_PATH, "context[1]"),
        (Ask(context=["Personal"], view="nothing"), Code.NO_SUCH_VIEW, "view"),
        (Ask(context=["Personal"], view=["x"] * 1025), Code.TOO_LARGE, "view"),
        (Ask(as_of_time=math.nan), Code.BAD_FIELD, "as_of_time"),
    ],
)
def test_asks_of_which_nothing_can_be_answered(query: Ask, code: Code, field: str) -> None:
    """They are refused as a whole."""
    error = Person().refuses_ask(query)
    assert (error.code, error.field) == (code, field)


def test_a_context_that_may_not_be_asked() -> None:
    """Whole and by view it is refused, with or without components, there or not; listed names fail one by one."""
    person = Person()
    person.register("probe")
    for context in (["Personal"], ["Goals"], ["Nowhere"], []):
        for query in (
            Ask(context=context),
            Ask(context=context, view="fullname"),
            Ask(context=context, view=[]),
            Ask(context=context, view=["x"], show_contexts=True),
        ):
            assert person.refuses_ask(query, app="probe").code is Code.PERMISSION_DENIED
    reply = person.ask(Ask(context=["Personal"], view=["age", "nobody"]), app="probe")
    assert failed(reply) == {"Personal/age": Code.PERMISSION_DENIED, "Personal/nobody": Code.PERMISSION_DENIED}


def test_a_path_elsewhere_does_not_tell_what_is_there() -> None:
    """An app that may ask one context learns nothing of another through a path, whatever the view."""
    person = Person()
    person.register("probe")
    person.permit("probe", "Personal", ask=True)
    paths = [["Goals", "Health", "steps"], ["Goals", "Health", "nothing"], ["Goals", "No", "x"], ["Goals"]]
    reply = person.ask(Ask(context=["Personal"], view=["age", *paths]), app="probe")
    assert names(reply) == ["Personal/age"]
    errors = {(failure.error.code, failure.error.message) for failure in reply.failures}
    assert len(errors) == 1
    person.do(MakeView(id="v", context=["Personal"], view=ViewDefinition(name="v", components=[["Goals", "x"]])))
    error = person.refuses_ask(Ask(context=["Personal"], view="v"), "probe")
    assert error.code is Code.NO_SUCH_VIEW


def test_a_permitted_path_can_be_asked_from_a_forbidden_context() -> None:
    """What counts is where the component is."""
    person = Person()
    person.register("probe")
    person.permit("probe", "Personal", ask=True)
    reply = person.ask(Ask(view=[["Personal", "age"], "here"]), app="probe")
    assert names(reply) == ["Personal/age"]
    assert failed(reply) == {"here": Code.PERMISSION_DENIED}


def test_show_contexts() -> None:
    """Sub-contexts by name, views, and components with rules; what may not be asked is not shown."""
    person = Person()
    for name in ("Work", "Home"):
        person.do(MakeContext(id="c", context=["Personal"], name=name))
    ruled = ComponentDefinition(name="ruled", rules=[RULE])
    person.do(MakeComponent(id="c", context=["Personal"], component=ruled))
    person.register("probe", ask=True)
    person.permit("probe", "Personal", "Work", ask=False)
    query = Ask(context=["Personal"], view=["age"], show_contexts=True)
    reply = person.ask(query)
    assert reply.contexts == ["Home", "Work"]
    assert reply.views == {"fullname": ["lastname", ["Personal", "firstname"]]}
    assert reply.rules is not None
    assert [rule.statement for rule in reply.rules["ruled"].values()] == [RULE]
    assert reply.context_description == "Who"
    assert person.ask(query, app="probe").contexts == ["Home"]
    assert person.ask(Ask(context=["Personal"], view=["age"])).contexts is None


def test_the_three_resolvers() -> None:
    """Default ignores goals, goal takes only them, recent takes what is newest."""
    person = Person()
    person.tell("age", 1)
    person.tell("age", 2, flags=["goal"])
    assert [person.value("age", resolver=name) for name in ("default", "goal", "recent")] == [1, 2, 2]
    person.tell("age", 3)
    assert [person.value("age", resolver=name) for name in ("default", "goal", "recent")] == [3, 2, 3]


def test_no_evidence_is_null() -> None:
    """With any resolver and filter."""
    person = Person()
    for resolver in BUILT_IN:
        assert person.value(resolver=resolver) is None
        assert person.value(resolver=resolver, evidence_filter=EvidenceFilter(name="last1")) is None


def resolver_used(person: Person, path: list[str], **query: Any) -> tuple[str, str]:
    reply = person.ask(Ask(view=[path], explain=True, **query))
    explanation = reply.components[0].explanation
    assert explanation is not None
    return explanation.resolver, explanation.resolver_from


def test_which_resolver_is_used() -> None:
    """The ask's, else the component's, else the nearest context's, else default."""
    contexts = [
        ContextDefinition(path=["a"], resolver="goal"),
        ContextDefinition(path=["a", "b"], components=[ComponentDefinition(name="x")]),
        ContextDefinition(path=["a", "b", "c"], resolver="recent", components=[ComponentDefinition(name="x")]),
        ContextDefinition(path=["d"], components=[ComponentDefinition(name="x", resolver="recent")]),
        ContextDefinition(path=["e"], components=[ComponentDefinition(name="x")]),
    ]
    person = Person(ModelDefinition(contexts=contexts))
    assert resolver_used(person, ["a", "b", "x"]) == ("goal", "context")
    assert resolver_used(person, ["a", "b", "c", "x"]) == ("recent", "context")
    assert resolver_used(person, ["d", "x"]) == ("recent", "component")
    assert resolver_used(person, ["e", "x"]) == ("default", "default")
    assert resolver_used(person, ["d", "x"], resolver="default") == ("default", "ask")


def test_an_unknown_resolver_fails_its_components_only() -> None:
    """A component may name one that is not installed here."""
    person = Person()
    odd = ComponentDefinition(name="odd", resolver="astrology")
    person.do(MakeComponent(id="c", context=["Personal"], component=odd))
    reply = person.ask(Ask(context=["Personal"], view=["age", "odd"]))
    assert names(reply) == ["Personal/age"]
    assert failed(reply) == {"Personal/odd": Code.UNKNOWN_RESOLVER}


def test_a_resolver_of_ones_own_gets_all_evidence_unexpired() -> None:
    """A registry may hold more than the built-in ones; they are pure functions of evidence."""
    total = Resolver("sum", lambda pieces, now, given: Resolved(sum(each.value for each in pieces), tuple(pieces)))
    person = Person(resolvers={**BUILT_IN, "sum": total})
    for value in (1, 2, 3, 4):
        person.tell("age", value, useby=5.0 if value == 3 else None)
    answer = person.answer("age", resolver="sum", include_evidence=True)
    assert answer.value == 7
    assert answer.evidence is not None
    assert [each.value for each in answer.evidence] == [1, 2, 3, 4]
    assert person.value("age", resolver="sum", evidence_filter=EvidenceFilter(name="last1")) == 4


def test_what_resolves_elsewhere_is_asked_for_in_one_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """All components of an ask together; a correction decides without it, and too much evidence goes nowhere."""
    monkeypatch.setattr("model.queries.ask.finish.MAX_EVIDENCE_CONSIDERED", 3)
    total = Resolver(
        "total", lambda pieces, now, given: Resolved(sum(each.value for each in pieces)), elsewhere="there"
    )
    person = Person(resolvers={**BUILT_IN, "total": total})
    for name, values in {"age": (1, 2), "height": (3, 4), "weight": (1, 1, 1, 1)}.items():
        definition = ComponentDefinition(name=name, value_type="JSON")
        person.do(MakeComponent(id=name, context=["Personal"], component=definition, exist_ok=True))
        for value in values:
            person.tell(name, value)
    corrected = ComponentDefinition(name="corrected", value_type="JSON")
    person.do(MakeComponent(id="c", context=["Personal"], component=corrected))
    person.do(Correct(id="d", context=["Personal"], component="corrected", value="by hand"))
    together: list[int] = []

    def meet(need: Need) -> object:
        if isinstance(need, Together):
            together.append(len(need.wanted))
        return person.store.meet(need)

    query = Ask(context=["Personal"], view=["age", "mood", "height", "weight", "corrected"], resolver="total")
    reply = run(person.begin(query), meet)
    assert isinstance(reply, AskReply)
    assert together == [3]
    values = {one.path[-1]: one.value for one in reply.components}
    assert values == {"age": 3, "mood": 0, "height": 7, "corrected": "by hand"}
    assert failed(reply) == {"Personal/weight": Code.TOO_MUCH_EVIDENCE}


def test_too_much_evidence_fails_the_component(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver that needs all evidence is given a bounded number; the built-in ones do not need it."""
    monkeypatch.setattr("model.queries.ask.finish.MAX_EVIDENCE_CONSIDERED", 3)
    count = Resolver("count", lambda evidence, now, given: Resolved(len(evidence)))
    person = Person(resolvers={**BUILT_IN, "count": count})
    for _ in range(4):
        person.tell("age", 1)
    reply = person.ask(Ask(context=["Personal"], view=["age", "mood"], resolver="count"))
    assert failed(reply) == {"Personal/age": Code.TOO_MUCH_EVIDENCE}
    assert names(reply) == ["Personal/mood"]
    assert person.value("age", evidence_filter=EvidenceFilter(name="since_time", since_time=0)) == 1


def test_memory_answers_without_reading() -> None:
    """Once a component has been looked at, the built-in resolvers over all evidence read nothing."""
    person = Person()
    person.tell("age", 1)
    person.tell("age", 2, flags=["goal"])
    person.reload()
    query = Ask(context=["Personal"], view=["age"])
    assert [read.kind for read in person.reads(query)] == ["correction", "plain", "goal"]
    person.ask(query)
    for resolver in BUILT_IN:
        assert person.reads(Ask(context=["Personal"], view=["age"], resolver=resolver)) == []
    assert person.value("age", resolver="goal") == 2
    assert person.reads(Ask(context=["Personal"], view=["mood"]))


def test_what_was_read_is_not_kept_when_the_model_has_moved_on() -> None:
    """A tell in between may have made it old."""
    person = Person()
    person.tell("age", 1)
    person.reload()
    asking = person.begin(Ask(context=["Personal"], view=["age"]))
    found = person.store.read(reads_of(asking))
    person.tell("age", 2)
    assert replied(asking, found).components[0].value == 1
    assert person.value("age") == 2


def test_half_of_what_memory_needs_is_not_kept() -> None:
    """What an ask read that knew one kind from memory is too little for memory that has been dropped since."""
    person = Person()
    person.tell("age", 1, flags=["goal"])
    person.tell("age", 2, useby=person.now + 1)
    asking = person.begin(Ask(context=["Personal"], view=["age"]), now=person.now + 2)
    reads = reads_of(asking)
    assert len(reads) == 1
    person.caches.latest.clear()
    replied(asking, person.store.read(reads))
    assert person.value("age", resolver="goal") == 1


def test_later_commands_do_not_disturb_an_ask() -> None:
    """The reply shows the model as it was when the ask began."""
    person = Person()
    person.tell("age", 1)
    seq = person.seq
    query = Ask(context=["Personal"], view=["age"], explain=True)
    asking = person.begin(query)
    reads = reads_of(asking)
    person.tell("age", 2)
    reply = replied(asking, person.store.read(reads))
    assert (reply.components[0].value, reply.seq) == (1, seq)


def test_reads_come_at_once_and_in_order() -> None:
    """All that an ask needs is asked for in one step; what was found for each is taken in that order."""
    person = Person()
    for component, value in (("firstname", "Al"), ("age", 5), ("lastname", "B")):
        person.tell(component, value)
    person.reload()
    asking = person.begin(Ask(context=["Personal"], view=["age", "firstname", "lastname"], resolver="recent"))
    reads = reads_of(asking)
    components = person.live.root.children["Personal"].components
    asked = [components[name].number for name in ("age", "firstname", "lastname")]
    assert [read.component_no for read in reads] == [number for number in asked for _ in range(3)]
    reply = replied(asking, person.store.read(reads))
    assert [answer.value for answer in reply.components] == [5, "Al", "B"]


def test_a_resolver_may_run_elsewhere() -> None:
    """An ask yields what the resolver is given, and takes what it is sent; a failure fails that component alone."""
    person = Person()
    for value in (1, 2):
        person.tell("age", value)
    asking = person.begin(Ask(context=["Personal"], view=["age", "mood"], resolver="mean"))
    wanted = asking.send(person.store.read(reads_of(asking)))
    assert isinstance(wanted, Resolve)
    assert (wanted.resolver.name, [piece.value for piece in wanted.evidence], wanted.arguments) == ("mean", [1, 2], {})
    second = asking.send(Resolved("from elsewhere"))
    assert isinstance(second, Resolve)
    with pytest.raises(StopIteration) as done:
        asking.send(Refusal(Code.RESOLVER_FAILED, "it is down"))
    reply = done.value.value
    assert [answer.value for answer in reply.components] == ["from elsewhere"]
    assert failed(reply) == {"Personal/mood": Code.RESOLVER_FAILED}


def test_an_answer_can_be_given_up() -> None:
    """At any step, without a trace."""
    person = Person()
    person.tell("age", 1)
    person.reload()
    asking = person.begin(Ask(context=["Personal"], view=["age"]))
    assert reads_of(asking)
    asking.close()
    assert list(person.caches.latest) == []


def test_access() -> None:
    """It says what the app is, or that it is not known."""
    person = Person()
    person.register("probe")
    assert person.answered(Access()).role == "owner"
    assert person.answered(Access(), "probe").role == "app"
    with pytest.raises(Refusal) as caught:
        person.answered(Access(), "stranger")
    assert caught.value.code is Code.NO_SUCH_APP
