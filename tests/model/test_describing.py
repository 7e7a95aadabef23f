"""The smaller queries."""

from typing import Any

import pytest

from schemas.app_names import app_id
from schemas.commands import MakeContext, SetResolver
from schemas.errors import Code, Refusal
from schemas.permissions import VERBS, Permission
from schemas.queries import Access, GetContext, GetPermission, ListApps, ListResolvers, ListRules
from schemas.replies import AppDescription, ContextReply, ContextSize, Granted

from .given import START_US, STEP_US, Person


def refused(person: Person, query: Any, app: str = "llum") -> Code:
    with pytest.raises(Refusal) as caught:
        person.describe(query, app)
    return caught.value.code


def test_a_context_is_described() -> None:
    """With what is in it and what the app may do there."""
    person = Person()
    person.do(SetResolver(id="s", context=["Personal"], resolver="recent"))
    described = person.describe(GetContext(context=["Personal"]))
    assert described == ContextReply(
        seq=person.seq,
        path=["Personal"],
        description="Who",
        resolver="recent",
        created=(START_US + STEP_US) / 1e6,
        contexts=[],
        components=["firstname", "lastname", "age", "active", "mood", "anything"],
        views={"fullname": ["lastname", ["Personal", "firstname"]]},
        permission=Granted(**dict.fromkeys(VERBS, True), source="owner"),
    )


def test_the_size_counts_what_the_app_may_ask() -> None:
    """Contexts, components and evidence, in the context and below."""
    person = Person()
    for value in (1, 2):
        person.tell("age", value)
    person.tell("firstname", "Al")
    assert person.describe(GetContext(size=True)).size == ContextSize(contexts=4, components=7, evidence=3)
    person.register("probe", ask=True)
    person.permit("probe", "Goals", ask=False)
    person.permit("probe", "Personal", component="age", ask=False)
    size = person.describe(GetContext(size=True), "probe").size
    assert size == ContextSize(contexts=2, components=5, evidence=1)


def test_a_context_that_is_not_there_or_not_permitted() -> None:
    """Permission is looked at first."""
    person = Person()
    person.register("probe")
    assert refused(person, GetContext(context=["Nowhere"])) is Code.NO_SUCH_CONTEXT
    assert refused(person, GetContext(context=[".."])) is Code.BAD_PATH
    assert refused(person, GetContext(context=["Nowhere"]), "probe") is Code.PERMISSION_DENIED


def test_sub_contexts_that_may_not_be_asked_are_left_out() -> None:
    """Their names would tell."""
    person = Person()
    person.do(MakeContext(id="c", context=["Personal"], name="Secret"))
    person.register("probe", ask=True)
    person.permit("probe", "Personal", "Secret", ask=False)
    assert person.describe(GetContext(context=["Personal"]), "probe").contexts == []


def test_resolvers_are_listed() -> None:
    """All that may be named, with a word on each."""
    listed = Person().describe(ListResolvers()).resolvers
    assert {"default", "goal", "recent", "mean", "time_in_state"} <= listed.keys()
    assert all(listed.values())


def test_apps_are_listed_to_the_owner() -> None:
    """Descriptions and roles; nothing secret."""
    person = Person()
    person.register("probe", ask=True)
    assert person.describe(ListApps()).apps == {
        "llum": AppDescription(description="", role="owner"),
        "probe": AppDescription(description="", role="app"),
    }
    assert refused(person, ListApps(), "probe") is Code.PERMISSION_DENIED


def test_permissions_are_shown_as_they_were_set() -> None:
    """Exactly there; to the owner and the app itself."""
    person = Person()
    person.register("probe", ask=True, resolvers=["goal"])
    person.register("other")
    shown = person.describe(GetPermission(app="probe"), "probe").permission
    assert shown == Permission(ask=True, resolvers=["goal"])
    assert person.describe(GetPermission(app="probe", context=["Personal"])).permission is None
    assert person.describe(GetPermission(app="probe", context=["Personal"], component="age")).permission is None
    assert refused(person, GetPermission(app="probe"), "other") is Code.PERMISSION_DENIED
    assert refused(person, GetPermission(app="nobody")) is Code.NO_SUCH_APP


def test_permissions_of_what_is_not_there() -> None:
    """Who may ask there is told that it is not; nobody else learns what there is."""
    person = Person()
    person.register("probe")
    assert refused(person, GetPermission(app="probe", context=["Nowhere"])) is Code.NO_SUCH_CONTEXT
    nothing = GetPermission(app="probe", context=["Personal"], component="nothing")
    assert refused(person, nothing) is Code.NO_SUCH_COMPONENT
    assert person.describe(nothing, "probe").permission is None
    assert person.describe(GetPermission(app="probe", context=["Nowhere"]), "probe").permission is None


def test_errors_name_an_app_as_it_was_registered() -> None:
    """Not by the id that stands for its name."""
    person = Person()
    person.register(app_id("My Health"))

    assert person.refuses_tell(app=app_id("My Health")).message == "My Health may not tell here"
    assert "My Scale" in person.refuses_ask(GetPermission(app=app_id("My Scale"))).message
    assert "My Scale" in person.refuses_ask(Access(), app_id("My Scale")).message


def test_rules_of_what_is_not_there() -> None:
    """Are refused like an ask."""
    person = Person()
    person.register("probe")
    assert person.describe(ListRules(context=["Personal"])).rules == {}
    assert person.describe(ListRules(context=["Personal"], component="age")).rules == {}
    assert refused(person, ListRules(context=["Personal"], component="x")) is Code.NO_SUCH_COMPONENT
    assert refused(person, ListRules(context=["Personal"], component="x"), "probe") is Code.PERMISSION_DENIED
