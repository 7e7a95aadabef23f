"""Who may do what, where."""

from model.permissions import NOTHING, OWNER
from schemas.commands import MakeContext, RegisterApp
from schemas.errors import Code
from schemas.queries import Ask

from .given import Person, failed


def test_the_default_is_no() -> None:
    """An app may do nothing until the owner says so, registered or not."""
    person = Person()
    person.register("probe")
    assert person.grant("probe", "Personal") == NOTHING
    assert person.grant("stranger") == NOTHING


def test_owner_apps_may_do_everything() -> None:
    """Even where a permission says otherwise."""
    person = Person()
    person.permit("llum", "Personal", ask=False, tell=False)
    assert person.grant("llum", "Personal") == OWNER


def test_the_nearest_setting_wins_part_by_part() -> None:
    """Each of ask, tell and resolvers is inherited by itself."""
    person = Person()
    person.register("probe", ask=True, tell=True, resolvers=["goal"])
    person.permit("probe", "Goals", tell=False)
    person.permit("probe", "Goals", "Health", resolvers=[], ask=True)
    inner = person.grant("probe", "Goals", "Health")
    assert (inner.ask, inner.tell, inner.resolvers, inner.source) == (True, False, None, "/Goals/Health")
    middle = person.grant("probe", "Goals")
    assert (middle.ask, middle.tell, middle.resolvers, middle.source) == (True, False, frozenset({"goal"}), "/")


def test_a_setting_is_merged_with_the_one_before() -> None:
    """Null leaves a part as it is."""
    person = Person()
    person.register("probe", ask=True)
    person.permit("probe", tell=True)
    person.permit("probe", resolvers=["recent"])
    grant = person.grant("probe")
    assert (grant.ask, grant.tell, grant.resolvers) == (True, True, frozenset({"recent"}))


def test_a_change_holds_at_once() -> None:
    """What was remembered of a permission is forgotten when one changes, and when a role does."""
    person = Person()
    person.register("probe", tell=True)
    person.tell(app="probe")
    person.permit("probe", "Personal", tell=False)
    assert person.refuses_tell(app="probe").code is Code.PERMISSION_DENIED
    person.do(RegisterApp(id="r", app="probe", role="owner"))
    person.tell(app="probe")


def test_what_is_remembered_is_bounded_by_the_model() -> None:
    """Neither strangers nor paths that lead nowhere grow the memory."""
    person = Person()
    for index in range(50):
        person.grant(f"stranger-{index}")
        person.grant("llum", "Nowhere", str(index))
    assert person.caches.grants.keys() <= {("llum", "grant", ())}


def test_permissions_survive_a_restart() -> None:
    """Also for an app and a context whose names look alike."""
    person = Person()
    person.register("probe")
    person.permit("probe", "Goals", "Health", ask=True)
    person.reload()
    assert person.grant("probe", "Goals", "Health").ask
    assert not person.grant("probe", "Goals").ask


def test_a_context_made_later_inherits() -> None:
    """What was said of a path before it existed does not stick."""
    person = Person()
    person.register("probe", ask=True)
    person.grant("probe", "New")
    person.permit("probe", ask=False)
    person.do(MakeContext(id="c", context=[], name="New"))
    assert not person.grant("probe", "New").ask


def test_only_the_resolvers_that_were_granted_can_be_used() -> None:
    """Whichever way the resolver was chosen; the rest of the ask is answered."""
    person = Person()
    person.register("probe", ask=True, resolvers=["goal"])
    assert person.answer(app="probe", resolver="goal").value is None
    reply = person.ask(Ask(context=["Personal"], view=["age"]), app="probe")
    assert failed(reply) == {"Personal/age": Code.PERMISSION_DENIED}
