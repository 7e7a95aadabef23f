"""Preferences as components: what a put tells, who may put and see what, and what becomes of it elsewhere."""

import pytest

from model import latest
from model.caches import Caches
from model.changes import AddEvidence, Fired
from model.safes.standing import MANY
from schemas.commands import Correct, Import, MakeRule, RegisterApp, SetPermission, SetResolver, Tell
from schemas.definitions import ImportedApp
from schemas.errors import Code
from schemas.evidence import NewEvidence
from schemas.limits import MAX_DEFINITION_ITEMS
from schemas.preferences import SafeFacts
from schemas.queries import Ask, Export, Preferences
from schemas.slices import Slice

from .given import RULE
from .safes import Owner, Safe, body_of, text

FLAT = ["Preferences", "flat", "gpii-default"]
SIZE = "http://registry.gpii.net/common/fontSize"


def told(safe: Owner, body: object, view: str = "flat", **members: object) -> dict[str, object]:
    """Put a body, and give what was told by the last name of each component."""
    changes = safe.do_put(body, view, **members).changes
    return {one.path[-1]: one.evidence.value for one in changes if isinstance(one, AddEvidence) and one.path}


def reader(safe: Owner, *path: str, **permission: object) -> None:
    """Register an app `reader` with a setting at one place."""
    safe.do(RegisterApp(id="r", app="reader"))
    safe.do(SetPermission(id="s", app="reader", context=list(path), **permission))  # type: ignore[arg-type]


def test_each_setting_is_a_component() -> None:
    """With a value that an ordinary ask gives, and evidence of its own."""
    alice = Owner()
    alice.put(body_of({SIZE: 12, "display": {"contrast": "high"}}), evidence_type="implicit", comment="measured")
    size = alice.ask(Ask(context=FLAT, view=[SIZE, [*FLAT, "display", "contrast"]], include_evidence=True)).components
    assert [one.value for one in size] == [12, "high"]
    (piece,) = size[0].evidence or ()
    assert (piece.source, piece.evidence_type, piece.comment) == ("llum", "implicit", "measured")
    assert (size[0].component_type, size[0].value_type) == ("preference", "JSON")


def test_only_what_differs_is_told() -> None:
    """Of a setting that is gone, null; the skeleton when the order or the members change."""
    safe = Safe()
    safe.put(body_of({"a": 1, "b": [1], "c": None}))
    assert told(safe, body_of({"a": 1, "b": [1], "c": None})).keys() == {"updated"}
    assert told(safe, body_of({"a": True, "b": [1], "c": None})).keys() == {"a", "updated"}
    assert told(safe, body_of({"b": [1], "a": True, "c": None})).keys() == {"_set", "updated"}
    assert told(safe, body_of({"b": [1], "a": 1})) == {
        "a": 1,
        "c": None,
        "_set": body_of({"b": 0, "a": 0}),
        "updated": "2023-11-14T22:13:25.000Z",
    }
    assert text(safe.sets()) == text({"flat": body_of({"b": [1], "a": 1})})


def test_a_null_is_a_value_and_what_is_unset_is_not_there() -> None:
    """An ordinary ask gives null for both; the flag tells them apart."""
    alice = Owner()
    alice.put(body_of({"a": None, "b": 1}))
    alice.put(body_of({"a": None}))
    assert alice.sets() == {"flat": body_of({"a": None})}
    answers = alice.ask(Ask(context=FLAT, include_evidence=True)).components
    flags = {one.path[-1]: (one.value, (one.evidence or [])[-1].flags) for one in answers}
    assert flags == {"a": (None, []), "b": (None, ["unset"])}


def test_what_other_apps_tell_is_seen() -> None:
    """In its place if the body has named it, otherwise at the end; a setting that is unset so is gone."""
    alice = Owner()
    alice.put(body_of({"a": 1, "b": 2}))
    alice.do(Tell(id="t", context=FLAT, component="a", evidence=NewEvidence(value=9)))
    alice.do(Tell(id="t", context=FLAT, component="b", evidence=NewEvidence(flags=["unset"])))
    assert text(alice.sets()) == text({"flat": body_of({"a": 9})})


def test_the_owners_correction_counts_first() -> None:
    """Whatever is put, until it is withdrawn."""
    alice = Owner()
    alice.put(body_of({"a": 1}))
    correction = alice.do(Correct(id="c", context=FLAT, component="a", value=7)).result
    alice.put(body_of({"a": 2}))
    assert alice.sets() == {"flat": body_of({"a": 7})}
    alice.reload()
    assert alice.sets() == {"flat": body_of({"a": 7})}
    assert correction == {"seq": 3, "n": 0}


def test_what_has_expired_gives_way_to_what_was_before() -> None:
    """As in an ordinary ask; then a put of the same value tells nothing."""
    alice = Owner()
    alice.put(body_of({"a": 1}))
    alice.do(Tell(id="t", context=FLAT, component="a", evidence=NewEvidence(value=2, useby=alice.now + 1.2)))
    assert alice.sets() == {"flat": body_of({"a": 2})}
    alice.put(body_of({"x": 1}), "css")
    alice.put(body_of({"x": 2}), "css")
    assert alice.sets()["flat"] == body_of({"a": 1})
    assert told(alice, body_of({"a": 1})) == {}


def test_a_resolver_that_is_set_decides_the_value() -> None:
    """As it does in an ordinary ask."""
    alice = Owner()
    alice.put(body_of({"a": 1, "b": 5}))
    alice.put(body_of({"a": 3, "b": 5}))
    alice.do(SetResolver(id="s", context=FLAT, component="a", resolver="mean"))
    assert alice.sets() == {"flat": body_of({"a": 2.0, "b": 5})}
    assert alice.sets(as_of_seq=2) == {"flat": body_of({"a": 1, "b": 5})}


def test_equivalents_are_unset_in_other_views_only() -> None:
    """In the same set; an object of which nothing is left goes, too, and its order stays."""
    safe = Safe()
    safe.put(body_of({"x": {"y": {"z": 1}, "k": 2}, "a": 1}), "ISO24751")
    equivalents = {"ISO24751": {"gpii-default": {"x": {"y": {"z": 0}}}, "night": {"a": 1}}, "flat": {}}
    safe.put(body_of({"size": 1}), "flat", equivalents=equivalents)
    assert text(safe.sets()) == text({"ISO24751": body_of({"x": {"k": 2}, "a": 1}), "flat": body_of({"size": 1})})


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (body_of({"": 1}), "body.contexts.gpii-default.preferences."),
        (body_of({"a": {"..": 1}}), "body.contexts.gpii-default.preferences.a..."),
        (body_of({"e\u0301": 1}), "body.contexts.gpii-default.preferences.e\u0301"),
        (body_of({"x" * 257: 1}), "body.contexts.gpii-default.preferences." + "x" * 257),
        (body_of({"a": 1}, "_night"), "body.contexts._night"),
        (body_of({"a": 2**63}), "body.contexts.gpii-default.preferences.a"),
        (body_of({"a": "\x07"}), "body.contexts.gpii-default.preferences.a"),
        ([], "body"),
        (None, "body"),
    ],
)
def test_a_bad_body_is_refused_with_its_place(body: object, place: str) -> None:
    """And none of it is put."""
    alice = Owner()
    alice.put(body_of({"a": 0}))
    assert alice.refuses_put(body).field == place
    assert alice.sets() == {"flat": body_of({"a": 0})}


def test_a_body_that_is_too_deep_or_too_large_is_refused() -> None:
    """A path has 32 names; one command makes 10,000 things."""
    alice = Owner()
    deep: object = 1
    for _ in range(40):
        deep = {"a": deep}
    assert alice.refuses_put(body_of(deep)).code is Code.BAD_PATH
    many = {f"term{number}": 1 for number in range(MAX_DEFINITION_ITEMS // 2 + 1)}
    assert alice.refuses_put(body_of(many)).code is Code.TOO_LARGE
    assert alice.refuses_put(body_of({}), "_joined").code is Code.BAD_PATH


def test_a_safe_is_made_with_its_first_body_as_it_is() -> None:
    """With its facts, for llum's own app and that of the command line; then it is one like any other."""
    safe = Safe()
    facts = SafeFacts(key="k", name="Carla", sets={"css": body_of({"x": 1})})
    assert safe.put(body_of({"a": 1}, metadata=[]), "flat", make=facts) == {"made": True}
    assert text(safe.sets("llum")) == text({"flat": body_of({"a": 1}, metadata=[]), "css": body_of({"x": 1})})
    answers = safe.ask(Ask(context=["Safe"])).components
    assert {one.path[-1]: one.value for one in answers} == {"key": "k", "type": "user", "name": "Carla"}
    assert safe.preferences().updated is None
    assert safe.put(body_of({"a": 2}), make=facts) == {"made": False}
    assert safe.preferences().updated == "2023-11-14T22:13:22.000Z"
    assert safe.refuses_put(body_of({}), make=facts, app="llum").code is Code.PERMISSION_DENIED


def test_a_snapset_is_read_only() -> None:
    """Its first body is put, and nothing after that."""
    safe = Safe()
    safe.put(body_of({"a": 1}), make=SafeFacts(type="snapset"))
    assert safe.preferences().type == "snapset"
    assert safe.refuses_put(body_of({"a": 2})).code is Code.READ_ONLY
    safe.reload()
    assert safe.refuses_put(body_of({"a": 2}), mode="merge").code is Code.READ_ONLY


def test_a_safe_may_hold_nothing() -> None:
    """A document without preferences is one."""
    safe = Safe()
    safe.put(None)
    assert safe.sets() == {}


def test_all_or_nothing_is_put() -> None:
    """An app that may not tell one setting tells none; what is missing is named."""
    alice = Owner()
    alice.put(body_of({"a": 1, "b": 1}))
    reader(alice, *FLAT, tell=True)
    alice.do(SetPermission(id="s", app="reader", context=FLAT, component="b", tell=False))
    patch = body_of({"a": 2, "b": 2})
    error = alice.refuses_put(patch, mode="patch", app="reader")
    assert (error.code, error.missing) == (
        Code.PERMISSION_DENIED,
        Slice(components=["Preferences/flat/gpii-default/b"], actions=["tell"]),
    )
    alice.put(body_of({"a": 2}), mode="patch", app="reader")
    assert alice.refuses_put(body_of({"b": 1}), mode="patch", app="reader").code is Code.PERMISSION_DENIED
    assert alice.refuses_put(body_of({"a": 3}), app="reader").missing == Slice(
        paths=["Preferences"], actions=["tell", "make"]
    )
    assert alice.sets() == {"flat": body_of({"a": 2, "b": 1})}


def test_what_is_new_needs_the_right_to_make() -> None:
    """An app that may tell puts other values, and unsets; its quota bounds what it makes."""
    alice = Owner()
    alice.put(body_of({"a": 1, "b": 1}))
    reader(alice, "Preferences", tell=True, make=False)
    alice.put(body_of({"a": 2}), app="reader")
    error = alice.refuses_put(body_of({"new": 1}), mode="merge", app="reader")
    assert error.missing == Slice(paths=["Preferences"], actions=["tell", "make"])
    alice.do(SetPermission(id="s", app="reader", context=["Preferences"], make=True))
    many = {f"term{number}": 1 for number in range(4900)}
    alice.put(body_of(many), mode="merge", app="reader")
    more = {f"more{number}": 1 for number in range(4900)}
    alice.put(body_of(more), mode="merge", app="reader")
    most = {f"most{number}": 1 for number in range(300)}
    assert alice.refuses_put(body_of(most), mode="merge", app="reader").code is Code.QUOTA


def test_an_app_sees_what_it_may_ask() -> None:
    """Of other sets not even the names; of nothing at all the query is refused."""
    alice = Owner()
    body = {"contexts": {"day": {"preferences": {"a": 1, "b": 2}}, "night": {"name": "N", "preferences": {"a": 3}}}}
    alice.put(body)
    alice.do(RegisterApp(id="r", app="reader"))
    error = alice.refuses_ask_preferences("reader")
    assert (error.code, error.missing) == (Code.PERMISSION_DENIED, Slice(paths=["Preferences"], actions=["ask"]))
    alice.do(SetPermission(id="s", app="reader", context=["Preferences", "flat", "day"], ask=True))
    assert alice.sets("reader") == {"flat": {"contexts": {"day": {"preferences": {"a": 1, "b": 2}}}}}
    alice.do(SetPermission(id="s", app="reader", context=["Preferences"], ask=True))
    alice.do(SetPermission(id="s", app="reader", context=["Preferences", "flat", "night"], ask=False))
    assert alice.sets("reader") == {"flat": {"contexts": {"day": {"preferences": {"a": 1, "b": 2}}}}}
    alice.do(SetPermission(id="s", app="reader", context=["Preferences", "flat", "day"], component="b", ask=False))
    assert alice.sets("reader") == {"flat": {"contexts": {"day": {"preferences": {"a": 1}}}}}


@pytest.mark.parametrize("limit", [{"since": "now"}, {"types": ["implicit"]}])
def test_evidence_that_does_not_exist_for_an_app_sets_nothing(limit: dict[str, object]) -> None:
    """It sees what was put since, or of the types that it may see: without the order that it may not know of."""
    alice = Owner()
    alice.put(body_of({"a": 1, "b": 2}))
    since = {"since": alice.now} if "since" in limit else limit
    reader(alice, "Preferences", ask=True, **since)
    alice.put(body_of({"a": 1, "b": 3}), evidence_type="implicit")
    assert alice.sets("reader") == {"flat": body_of({"b": 3})}
    alice.put(body_of({"a": 1}), evidence_type="implicit")
    assert alice.sets("reader").get("flat", {}).get("contexts", {}).get("gpii-default", {}).get("preferences") in (
        None,
        {},
    )


def test_the_past_is_seen_by_who_may_look_back() -> None:
    """An app needs `past`; owners do not."""
    alice = Owner()
    alice.put(body_of({"a": 1}))
    alice.put(body_of({"a": 2, "b": 1}))
    alice.put(body_of({"b": 1}))
    assert alice.sets(as_of_seq=2) == {"flat": body_of({"a": 1})}
    reader(alice, "Preferences", ask=True)
    assert alice.refuses_ask_preferences("reader", as_of_seq=3).code is Code.PERMISSION_DENIED
    alice.do(SetPermission(id="s", app="reader", context=["Preferences"], past=3600))
    assert text(alice.sets("reader", as_of_seq=3)) == text({"flat": body_of({"a": 2, "b": 1})})


def test_rules_fire_as_on_tells() -> None:
    """Each setting that is told fires those of its component, and the firing knows which piece it was."""
    alice = Owner()
    alice.put(body_of({"a": 1, "b": 1, "c": 1}))
    alice.do(MakeRule(id="m", context=FLAT, component="b", statement=RULE))
    alice.do(MakeRule(id="m", context=FLAT, component="c", statement=RULE))
    changes = alice.do_put(body_of({"a": 2, "b": 2, "c": 1})).changes
    (fired,) = (one for one in changes if isinstance(one, Fired))
    assert (fired.path, fired.n) == ((*FLAT, "b"), 1)


def test_the_order_survives_export_and_import() -> None:
    """Of views, sets and settings; what is unset stays so. llum's own app is not among the apps of an archive."""
    safe, alice = Safe(), Owner()
    safe.put(body_of({"z": 1, "b": {"y": 1, "x": 2}, "a": 3, "gone": 1}), "z-first")
    safe.put(body_of({"k": []}), "a-last")
    safe.put(body_of({"z": 1, "b": {"y": 1, "x": 2}, "a": 3}), "z-first")
    pages = safe.export_all()
    assert list(pages[0].apps) == ["llum"]
    for page in pages:
        contexts = [one for one in page.contexts if one.path[:1] in ([], ["Preferences"])]
        apps = {name: ImportedApp(description=app.description, role=app.role) for name, app in page.apps.items()}
        alice.do(Import(id="i", context=[], contexts=contexts, apps=apps))
    assert text(alice.sets()) == text(safe.sets())
    alice.reload()
    assert text(alice.sets()) == text(safe.sets())
    assert alice.export(Export(context=["Preferences"])).contexts[0].path == []


def test_two_safes_in_one_model_know_nothing_of_each_other() -> None:
    """A safe that a person has joined lies below their own, and is no view of it."""
    alice = Owner()
    alice.put(body_of({"a": 1}))
    alice.put(body_of({"b": 2}), context=["Preferences", "_joined", "work"])
    assert alice.sets() == {"flat": body_of({"a": 1})}
    assert alice.sets(context=["Preferences", "_joined", "work"]) == {"flat": body_of({"b": 2})}
    assert alice.sets(context=["Preferences", "_joined", "home"]) == {}


@pytest.mark.parametrize("asked", ["the setting", "all"])
def test_what_an_ask_has_seen_of_later_changes_no_command(asked: str) -> None:
    """The worker's clock may be ahead of the log's: what has expired by it has not when the command was accepted.

    Else a replica that nobody has asked would decide otherwise.
    """
    alice = Owner()
    alice.put(body_of({"a": 1}))
    alice.do(Tell(id="t", context=FLAT, component="a", evidence=NewEvidence(value=2, useby=alice.now + 50)))
    alice.caches = Caches()
    later = alice.now + 100
    if asked == "all":
        assert alice.answered(Preferences(), now=later).sets == {"flat": body_of({"a": 1})}
    else:
        assert alice.answered(Ask(context=FLAT, view=["a"]), now=later).components[0].value == 1
    assert told(alice, body_of({"a": 1})) == {"a": 1}


def test_there_is_room_for_what_is_put() -> None:
    """A path has at most 32 segments, with the view, its skeleton, its sets and their settings."""
    alice, deep = Owner(), [f"c{number}" for number in range(32)]
    for length in (32, 31):
        error = alice.refuses_put({"contexts": {}}, context=deep[:length])
        assert (error.code, error.field) == (Code.BAD_PATH, "context")
    alice.put({"contexts": {}}, context=deep[:30])
    assert alice.refuses_put(body_of({"a": 1}), context=deep[:30]).code is Code.BAD_PATH
    alice = Owner()
    alice.put(body_of({"a": 1}), context=deep[:29])
    assert alice.sets(context=deep[:29]) == {"flat": body_of({"a": 1})}


@pytest.mark.parametrize("name", ["_x", "", "e\u0301", "a\nb"])
def test_a_skeleton_that_somebody_else_has_told_stops_nobody(name: str) -> None:
    """Names in it that nobody could put are passed over."""
    alice = Owner()
    alice.put(body_of({"a": 1}))
    alice.put(body_of({"b": 1}), "other")
    odd = {"contexts": {name: {"preferences": {}}, "gpii-default": {"preferences": {"b": 0}}}}
    alice.do(Tell(id="t", context=["Preferences", "other"], component="_set", evidence=NewEvidence(value=odd)))
    alice.put(body_of({"a": 2}), equivalents={"other": {"gpii-default": {"c": True}}})
    alice.put(body_of({"b": 2}), "other", mode="merge")
    assert alice.sets() == {"flat": body_of({"a": 2}), "other": body_of({"b": 2})}


def test_a_large_safe_at_rest_is_unpacked_in_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """To find each setting by itself would take the longer the more there are."""
    safe, body = Safe(), body_of({f"s{number}": number for number in range(MANY + 1)})
    safe.put(body)
    safe.caches.rest("alice")

    def searches(*_: object) -> None:
        raise AssertionError("a setting is searched by itself")

    monkeypatch.setattr(latest._Packed, "find", searches)
    assert safe.sets() == {"flat": body}
