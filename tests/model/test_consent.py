"""Consent: an owner decides what an app may do. The decision is kept, and says nothing to others."""

from typing import Any

from model.packing import pack
from model.permissions import Grant
from schemas.commands import (
    ActivateRule,
    DeleteApp,
    DeleteComponent,
    DeleteView,
    Forget,
    MakeModel,
    MakeRule,
    RegisterApp,
)
from schemas.errors import Code
from schemas.grants import MAX_DECISIONS, Consent, ConsentDecision, GrantedApp, GrantsReply
from schemas.permissions import Permission
from schemas.queries import Ask, Grants
from schemas.slices import ACTIONS, Slice

from .given import CRON_RULE, DEFINITION, START_US, Person

PERSONAL = Slice(paths=["Personal"], actions=["ask"])


def decide(person: Person, decision: Any, *granted: Slice, app: str = "probe", **members: Any) -> Any:
    """Decide about an app through the command line's own app; give the result."""
    command = Consent(id="c", app=app, decision=decision, granted=list(granted), **members)
    return person.do(command).result


def grants(person: Person, app: str = "llum", **members: Any) -> list[GrantedApp]:
    reply = person.answered(Grants(**members), app)
    assert isinstance(reply, GrantsReply)
    assert reply.seq == person.live.seq
    return reply.apps


def about(person: Person, app: str = "probe") -> GrantedApp:
    (found,) = [one for one in grants(person) if one.app == app]
    return found


def may(grant: Grant) -> list[str]:
    return [verb for verb in ACTIONS if getattr(grant, verb)]


def test_who_is_allowed_something_is_registered_and_may_do_it() -> None:
    """The result is the registration: the sequence of the command."""
    person = Person()
    registration = decide(person, "allowed", PERSONAL, name="Probe", host="probe.example", purpose="to look")
    assert registration == person.seq
    assert may(person.grant("probe", "Personal")) == ["ask"]
    assert may(person.grant("probe")) == []
    found = about(person)
    assert (found.name, found.host, found.role, found.registration) == ("Probe", "probe.example", "app", registration)
    assert found.slices == [Slice(paths=["Personal"], actions=["ask"], purpose="to look")]


def test_a_decision_says_who_what_why_and_when() -> None:
    """And until when, if all of it ends."""
    person = Person()
    until = person.now + 100
    refused = [Slice(paths=["Goals"], actions=["ask"])]
    decide(
        person,
        "allowed",
        Slice(paths=["Personal"], actions=["ask"], expires=until),
        refused=refused,
        name="Probe",
        host="probe.example",
        purpose="to look",
        how="session 12",
    )
    (decision,) = about(person).decisions
    assert decision == ConsentDecision(
        app="probe",
        decision="allowed",
        time=(START_US + person.seq * 1_000_000) / 1e6,
        by="llum",
        how="session 12",
        granted=[Slice(paths=["Personal"], actions=["ask"], expires=until, purpose="to look")],
        refused=refused,
        name="Probe",
        host="probe.example",
        purpose="to look",
        until=until,
    )


def test_what_is_allowed_adds_to_what_was() -> None:
    """Each place is set anew; others stay, and so does the registration."""
    person = Person()
    first = decide(person, "allowed", PERSONAL, Slice(paths=["Goals"], actions=["ask"]))
    again = decide(person, "allowed", Slice(paths=["Goals"], actions=["tell"]))
    assert first == again
    assert may(person.grant("probe", "Personal")) == ["ask"]
    assert may(person.grant("probe", "Goals")) == ["tell"]
    assert [one.decision for one in about(person).decisions] == ["allowed", "allowed"]


def test_a_change_is_the_whole_grant() -> None:
    """What it does not name goes, also what is set for rules elsewhere and for components."""
    person = Person()
    elsewhere = Slice(paths=["Personal"], actions=["tell"], whose_rules="bob")
    decide(person, "allowed", PERSONAL, elsewhere, Slice(components=["Personal/age"], actions=["tell"]))
    decide(person, "changed", Slice(paths=["Goals"], actions=["ask"]))
    assert about(person).slices == [Slice(paths=["Goals"], actions=["ask"])]
    assert list(person.live.permissions) == ["probe"]
    assert not person.live.component_permissions


def test_a_refusal_is_kept_and_changes_nothing() -> None:
    """Of an app that is not registered, too, which then is in the list."""
    person = Person()
    assert decide(person, "refused", refused=[PERSONAL], name="Probe") is None
    assert "probe" not in person.live.apps
    found = about(person)
    assert (found.name, found.registration, found.slices) == ("Probe", None, [])
    assert [one.refused for one in found.decisions] == [[PERSONAL]]
    person.register("probe", ask=True)
    assert decide(person, "refused", refused=[PERSONAL]) == person.live.apps["probe"].registration
    assert may(person.grant("probe")) == ["ask"]


def test_what_lets_an_app_ask_is_complete() -> None:
    """Of a limit that is set for the whole model nothing counts in a place that was allowed without it."""
    person = Person()
    person.register("probe", ask=True, bind_resolver="count", since=9e9, past=60, filters=["last1"])
    decide(person, "allowed", PERSONAL)
    assert person.grant("probe", "Personal").unlimited
    assert person.grant("probe", "Personal").past == 0
    assert not person.grant("probe").unlimited
    person.tell("firstname", "Al")
    assert person.answer("firstname", app="probe").value == "Al"


def test_a_component_is_freed_of_the_view_around_it() -> None:
    """An app that sees a view of a context, and one component beside it."""
    person = Person()
    decide(
        person,
        "allowed",
        Slice(paths=["Personal"], actions=["ask"], view="fullname"),
        Slice(components=["Personal/age"], actions=["ask"]),
    )
    person.tell("age", 7)
    assert person.answer("age", app="probe").value == 7
    names = [one.path[-1] for one in person.ask(Ask(context=["Personal"]), "probe").components]
    assert sorted(names) == ["age", "firstname", "lastname"]


def test_what_a_slice_refers_to_stays_as_it_is() -> None:
    """An app that is bound to a view may make things, but neither the view anew, nor what the view lists."""
    person = Person()
    decide(
        person,
        "allowed",
        Slice(paths=["Personal"], actions=["ask", "make", "delete"], view="fullname", expires=person.now + 3),
    )
    delete = DeleteView(id="d", context=["Personal"], view="fullname")
    gone = DeleteComponent(id="e", context=["Personal"], component="lastname")
    for command in (delete, gone):
        assert person.refuses(command, "probe").code is Code.PERMISSION_DENIED
    decide(person, "changed", Slice(paths=["Personal"], actions=["ask", "delete"]))
    person.do(delete, "probe")


def test_to_tell_is_to_tell_alone() -> None:
    """It drags nothing along; what a wider place allows stays."""
    person = Person()
    decide(person, "allowed", Slice(paths=["Personal"], actions=["tell"]))
    assert may(person.grant("probe", "Personal")) == ["tell"]
    decide(person, "allowed", Slice(paths=[""], actions=["make"]))
    decide(person, "allowed", Slice(paths=["Personal"], actions=["tell"]))
    assert may(person.grant("probe", "Personal")) == ["tell", "make"]


def test_a_slice_ends_when_it_said() -> None:
    """From then on it is in no list, and does not count."""
    person = Person()
    decide(person, "allowed", Slice(paths=["Personal"], actions=["ask"], expires=person.now + 10))
    assert about(person).slices
    for _ in range(12):
        person.tell("firstname", "Al")
    assert about(person).slices == []
    assert may(person.grant("probe", "Personal")) == []


def test_a_place_need_not_be_there_yet() -> None:
    """An app may be allowed to make its own context, and to tell there."""
    person = Person()
    decide(person, "allowed", Slice(paths=["Apps/Log"], actions=["tell", "make"]))
    assert may(person.grant("probe", "Apps", "Log", "below")) == ["tell", "make"]


def test_a_revoked_app_may_do_nothing() -> None:
    """It is registered anew by that, so whatever lets it in ends; its rules are suspended until an owner wakes them."""
    person = Person()
    decide(person, "allowed", Slice(paths=[""], actions=list(ACTIONS)), Slice(paths=["Goals"], actions=["ask"]))
    rule = person.do(MakeRule(id="r", context=["Personal"], component="firstname", statement=CRON_RULE), "probe").result
    registration = decide(person, "revoked")
    assert registration == person.seq == person.live.apps["probe"].registration
    assert person.store.announced[-1].registration == registration
    assert may(person.grant("probe", "Goals")) == []
    assert person.live.context(("Personal",)).rules["firstname"][rule].suspended == "revoked"  # type: ignore[union-attr]
    found = about(person)
    assert (found.rules, found.suspended, found.slices) == (1, 1, [])
    activate = ActivateRule(id="a", context=["Personal"], component="firstname", token=rule)
    assert person.refuses(activate).code is Code.PERMISSION_DENIED
    decide(person, "allowed", Slice(paths=[""], actions=list(ACTIONS)))
    assert about(person).suspended == 1
    person.do(activate)
    assert about(person).suspended == 0


def test_an_owner_app_that_is_revoked_is_an_owners_no_more() -> None:
    """The last one stays."""
    person = Person()
    assert decide(person, "allowed", role="owner") == person.seq
    assert person.live.apps["probe"].role == "owner"
    decide(person, "revoked")
    assert person.live.apps["probe"].role == "app"
    last = Consent(id="x", app="llum", decision="revoked")
    assert person.refuses(last).code is Code.BAD_FIELD


def test_a_change_says_whether_an_app_is_an_owners() -> None:
    """To allow something takes nothing away."""
    person = Person()
    decide(person, "allowed", role="owner")
    decide(person, "allowed", PERSONAL)
    assert person.live.apps["probe"].role == "owner"
    decide(person, "changed", PERSONAL)
    assert person.live.apps["probe"].role == "app"


def test_only_owners_decide() -> None:
    """Whatever an app may do; it is told nothing of others either."""
    person = Person()
    decide(person, "allowed", Slice(paths=[""], actions=list(ACTIONS)))
    command = Consent(id="x", app="probe", decision="allowed", role="owner")
    assert person.refuses(command, "probe").code is Code.PERMISSION_DENIED
    assert person.refuses(command, "stranger").code is Code.PERMISSION_DENIED
    assert person.refuses_ask(Grants(app="llum"), "probe").code is Code.PERMISSION_DENIED
    assert person.refuses_ask(Grants(), "stranger").code is Code.NO_SUCH_APP


def test_an_app_sees_its_own_grant_without_the_decisions() -> None:
    """How and where the person was when they decided is theirs."""
    person = Person()
    registration = decide(person, "allowed", PERSONAL, how="session 12")
    person.register("other", ask=True)
    expected = GrantedApp(app="probe", registration=registration, slices=[PERSONAL])
    assert grants(person, "probe") == [expected]
    assert person.answered(Grants(app="probe"), "probe").apps == [expected]


def test_an_owner_app_sees_all() -> None:
    """Or the one that it names; what nobody has heard of is refused."""
    person = Person()
    decide(person, "refused", app="other")
    assert [one.app for one in grants(person)] == ["llum", "other"]
    reply = person.answered(Grants(app="other"))
    assert [one.app for one in reply.apps] == ["other"]
    error = person.refuses_ask(Grants(app="nobody"))
    assert (error.code, error.field) == (Code.NO_SUCH_APP, "app")


def test_the_latest_decisions_are_shown() -> None:
    """A bounded number of them for each app; the reply says how many more there are."""
    person = Person()
    decide(person, "refused", app="quiet")
    for number in range(MAX_DECISIONS + 2):
        decide(person, "refused", purpose=f"{number}")
    assert [one.purpose for one in about(person).decisions] == [f"{n}" for n in range(MAX_DECISIONS + 1, 1, -1)]
    assert len(about(person, "quiet").decisions) == 1
    assert person.answered(Grants()).more == 2


def test_decisions_outlive_the_app_and_not_the_person() -> None:
    """An app that is deleted stays in the list, with what was decided; a forgotten person has none."""
    person = Person()
    decide(person, "allowed", PERSONAL)
    person.do(DeleteApp(id="d", app="probe"))
    person.reload()
    found = about(person)
    assert (found.registration, found.slices, len(found.decisions)) == (None, [], 1)
    person.do(Forget(id="f"))
    person.do(MakeModel(id="again", definition=DEFINITION))
    assert [one.app for one in grants(person)] == ["llum"]


def test_a_model_in_memory_holds_no_decisions() -> None:
    """They are read when somebody asks: tells and asks do not carry them."""
    person = Person()
    before = pack(person.live)
    decide(person, "refused", purpose="x" * 1000)
    assert pack(person.live) == before
    person.reload()
    assert len(pack(person.live) or b"") == len(before or b"")


def test_settings_of_other_making_are_shown_as_slices() -> None:
    """What an operator has permitted is part of the grant."""
    person = Person()
    person.do(RegisterApp(id="r", app="probe", description="A probe"))
    person.permit("probe", "Personal", ask=True, bind_view="fullname", past=60)
    person.permit("probe", "Personal", component="age", tell=True)
    found = about(person)
    assert found.description == "A probe"
    assert found.slices == [
        Slice(paths=["Personal"], actions=["ask"], view="fullname", past=60),
        Slice(components=["Personal/age"], actions=["tell", "make", "delete", "rules"]),
    ]
    assert person.live.permissions["probe"] == {("Personal",): Permission(ask=True, bind_view="fullname", past=60)}
