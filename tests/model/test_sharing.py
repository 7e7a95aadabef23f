"""Models made from one definition share its contexts, and never touch one another."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from model import sharing
from model.state import MAX_PACKED_BYTES
from schemas.commands import DeleteComponent, Forget, MakeComponent
from schemas.definitions import ComponentDefinition, ContextDefinition, ModelDefinition

from .given import Person, picture
from .test_fold import HISTORIES, alice, do

LAW = settings(max_examples=60, deadline=None)


def restored(person: Person) -> Any:
    """Picture the model as a start of the program finds it: with nothing in any table."""
    sharing.forget_shared()
    return picture(person.store.load("alice", person.live.seq, person.live.time_us))


def makes(name: str) -> MakeComponent:
    return MakeComponent(id="m", context=["Personal"], component=ComponentDefinition(name=name))


@LAW
@given(st.lists(st.tuples(st.booleans(), HISTORIES.map(lambda history: history[:3])), max_size=8))
def test_models_of_one_definition_never_touch_one_another(histories: list[Any]) -> None:
    """What happens to one leaves the other as it was, and both are what their own commands make of them."""
    left, right = alice(), alice()
    for turned, history in histories:
        one, other = (left, right) if turned else (right, left)
        before = picture(other.model)
        for each in history:
            do(one, each)
        assert picture(other.model) == before
    assert picture(left.live) == restored(left)
    assert picture(right.live) == restored(right)


def test_models_of_one_definition_share_its_contexts() -> None:
    """Also after one of them was loaded anew; numbers and times are each one's own."""
    left, right = Person(), Person()
    right.tell()
    right.reload()
    mine, theirs = (person.live.root.children["Personal"] for person in (left, right))
    assert mine.contents is theirs.contents
    right.do(makes("new"))
    assert mine.contents is not theirs.contents
    assert mine.component("new") is None
    right.do(DeleteComponent(id="d", context=["Personal"], component="new"))
    assert mine.contents is theirs.contents


def test_a_large_context_is_kept_as_it_is() -> None:
    """It is shared with nobody, and is changed and loaded as any other."""
    described = "x" * (MAX_PACKED_BYTES // 2)
    parts = [ComponentDefinition(name=name, description=described) for name in ("a", "b", "c")]
    person = Person(ModelDefinition(contexts=[ContextDefinition(path=["Personal"], components=parts)]))
    assert person.live.root.children["Personal"].is_open
    person.do(makes("d"))
    person.do(DeleteComponent(id="d", context=["Personal"], component="b"))
    assert list(person.live.root.children["Personal"].components) == ["a", "c", "d"]
    assert picture(person.live) == restored(person)


def test_what_is_shared_is_forgotten_with_a_person() -> None:
    """No table keeps a name of theirs; the models of others stay what they are."""
    leaving, staying = Person(), Person()
    before = picture(staying.live)
    leaving.do(makes("of the one who leaves"))
    leaving.do(Forget(id="f"))
    assert [table.cache_info().currsize for table in sharing._tables if table.cache_info().currsize] == []
    assert picture(staying.live) == before
