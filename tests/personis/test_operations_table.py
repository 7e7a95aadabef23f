"""Every operation of the original with good, bad and missing arguments, against a real llum.

The rows are taken in order against one person's model: what a row makes, a later one may use.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.edge_http.personis_client import Component, Context, Evidence, PersonisClient
from tests.personis.conftest import Person
from tests.system.harness import Llum
from tests.system.plain_http import PlainHttp

STATEMENT = '<default!./T/a> ~ "x" : TELL ./T/b, inferred:"y"'
RULE = {"user": "u", "password": "p", "statement": STATEMENT}
T = ["T"]
NOTHING = "this argument is left out"
ANY = "any value"


@pytest.fixture(scope="module")
def model(llum: Llum) -> Iterator[Person]:
    """A model with the context T: components a and b (text), n (number), e (enum x, y), a view v, a context T/sub."""
    person = Person(llum)
    person.make("T", "a", "b")
    enum = Component(Identifier="e", component_type="attribute", value_type="enum", value_list=["x", "y"])
    number = Component(Identifier="n", component_type="attribute", value_type="number")
    for component in (enum, number):
        assert person.client.mkcomponent(T, component) is None
    assert person.client.mkcontext(T, Context(Identifier="sub")) is True
    person.tell(T, "a", "first")
    yield person
    person.close()


@pytest.fixture(scope="module")
def http(model: Person) -> Iterator[PlainHttp]:
    http = PlainHttp(model.llum.http, model.token)
    yield http
    http.close()


def evidence(value: Any, **members: Any) -> dict[str, Any]:
    return vars(Evidence(evidence_type="explicit", value=value, **members))


def component(name: Any, **members: Any) -> dict[str, Any]:
    return vars(Component(Identifier=name, component_type="attribute", value_type="string")) | members


def context(name: Any, **members: Any) -> dict[str, Any]:
    return vars(Context(Identifier=name, creation_time=1.0)) | members


def view(name: Any, items: Any) -> dict[str, Any]:
    return {"Identifier": name, "Description": "", "component_list": items, "objectType": "View"}


GOOD: list[tuple[str, dict[str, Any], Any]] = [
    ("access", {}, True),
    ("access", {"modelname": "-", "user": "", "password": ""}, True),
    ("nonsense", {}, False),
    ("tell", {"context": T, "componentid": "a", "evidence": evidence("second", flags=["goal"])}, None),
    ("tell", {"context": "T", "componentid": "n", "evidence": evidence(2.5)}, None),
    ("tell", {"context": ["", "T"], "componentid": "e", "evidence": evidence("x")}, None),
    ("tell", {"context": T, "componentid": "b", "evidence": {"value": "only a value"}}, None),
    ("tell", {"context": ["", "T", ""], "componentid": "b", "evidence": evidence("x", flags="goal", comment=3)}, None),
    ("ask", {"context": ["", ""], "view": [["", "T", "b"]], "showcontexts": True}, ANY),
    ("ask", {"context": T, "view": ["a"], "resolver": {"evidence_filter": "since_time"}}, ANY),
    ("ask", {"context": T, "view": ["a"], "resolver": {"evidence_filter": "since_time", "since_time": "12.5"}}, ANY),
    ("ask", {"context": T, "view": ["a"]}, ANY),
    ("ask", {"context": T, "view": None, "resolver": {"evidence_filter": "last10"}, "showcontexts": True}, ANY),
    ("ask", {"context": [""], "view": [["T", "a"], ["Personal", "firstname"]], "resolver": "goal"}, ANY),
    ("mkmodel", {"modelname": "-"}, True),
    ("mkcontext", {"context": T, "contextobj": context("new", Description="d")}, True),
    ("mkcontext", {"context": T, "contextobj": context("new")}, False),
    ("mkcontext", {"context": ["missing"], "contextobj": context("new")}, False),
    ("mkcontext", {"context": T, "Identifier": "plain"}, True),
    ("mkcontext", {"context": T, "contextobj": context("flat", perms={"ask": True, "resolvers": ["all"]})}, True),
    ("getcontext", {"context": ["T", "flat"]}, {"Identifier": "flat", "perms": {}}),
    ("getcontext", {"context": ["T", "new"]}, {"Identifier": "new", "Description": "d", "perms": {}}),
    ("getcontext", {"context": ["T", "new"], "getsize": True}, {"Identifier": "new", "size": 1}),
    ("getcontext", {"context": []}, {"Identifier": "."}),
    ("getcontext", {"context": ["missing"]}, {}),
    ("mkcomponent", {"context": T, "componentobj": component("new")}, None),
    ("mkcomponent", {"context": T, "componentobj": component("new")}, "component new already exists"),
    (
        "mkcomponent",
        {"context": T, "componentobj": component("valued", value="x")},
        "component value specified at creation - not allowed",
    ),
    ("mkcomponent", {"context": T, "componentobj": component("told", evidencelist=[evidence("x")])}, None),
    ("mkcomponent", {"context": T, "componentobj": component("one", value_type="enum", value_list="x")}, None),
    ("mkcomponent", {"context": T, "componentobj": component("listed", value_list=["x"], goals="T/a")}, None),
    ("setresolver", {"context": T, "componentid": "new", "resolver": "goal"}, True),
    ("setresolver", {"context": T, "componentid": "new", "resolver": None}, True),
    ("getresolvers", {}, ANY),
    ("set_goals", {"context": T, "componentid": "new", "goals": [["", "T", "a"], ["T", "b"]]}, None),
    ("set_goals", {"context": T, "componentid": "new", "goals": []}, None),
    ("settimezone", {"time_zone": "Europe/Amsterdam"}, None),
    ("getcontext", {"context": []}, {"Identifier": ".", "time_zone": "Europe/Amsterdam"}),
    ("settimezone", {"time_zone": None}, None),
    ("delcomponent", {"context": T, "componentid": "new"}, None),
    ("delcomponent", {"context": T, "componentid": "new"}, "no component matched new"),
    ("mkview", {"context": T, "viewobj": view("v", ["a", ["", "T", "b"]])}, None),
    ("mkview", {"context": T, "viewobj": view("v", ["b", "a"])}, ("already_exists", "viewobj.Identifier")),
    ("mkview", {"context": T, "viewobj": view("none", None)}, None),
    ("mkview", {"context": T, "viewobj": {"Identifier": "nothing"}}, None),
    ("ask", {"context": T, "view": "v"}, ANY),
    ("delview", {"context": T, "viewid": "v"}, None),
    ("subscribe", {"context": T, "view": ["a"], "subscription": RULE}, ANY),
    ("list_subs", {"context": T, "componentid": "a"}, ANY),
    ("list_subs", {"context": T, "componentid": "n"}, {}),
    ("list_subs", {"context": T}, ANY),
    ("registerapp", {"app": "scale", "description": "d", "apppassword": None}, None),
    ("listapps", {}, {"llum": ANY, "probe": ANY}),
    ("registerapp", {"app": "scale", "desc": "d", "apppassword": "secret"}, {"description": "d", "password": None}),
    ("registerapp", {"app": "web", "description": "w", "realm": "oauth"}, {"realm": "oauth", "givenpw": None}),
    ("listapps", {}, {"scale": {"description": "d"}, "web": {"description": "w"}}),
    ("getpermission", {"context": T, "app": "scale", "componentid": None}, None),
    ("setpermission", {"context": T, "app": "scale", "componentid": None, "permissions": {"ask": True}}, None),
    ("setpermission", {"context": T, "app": "scale", "permissions": {"tell": False}}, None),
    ("getpermission", {"context": T, "app": "scale"}, {"ask": True, "tell": False}),
    ("setpermission", {"context": T, "componentid": "a", "app": "scale", "permissions": {"ask": False}}, None),
    ("getpermission", {"context": T, "componentid": "a", "app": "scale"}, {"ask": False}),
    ("getcontext", {"context": T}, {"perms": {"scale": {"ask": True, "tell": False}}}),
    ("deleteapp", {"app": "web"}, None),
    ("export_model", {"context": T}, ANY),
    ("export_model", {"context": ["T", "sub"], "resolver": {"evidence_filter": "last1"}}, ANY),
    ("import_model", {"context": T, "partial_model": None}, None),
    ("import_model", {"context": T, "partial_model": {"contextinfo": {"Identifier": "imported"}}}, ANY),
    ("getcontext", {"context": ["T", "imported"]}, {"Identifier": "imported"}),
    ("delcontext", {"context": ["T", "imported"]}, True),
    ("delcontext", {"context": ["T", "imported"]}, True),
    ("delcontext", {"context": ["missing", "imported"]}, False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("op", "body", "expected"), [pytest.param(*row, id=f"{number}-{row[0]}") for number, row in enumerate(GOOD)]
)
def test_a_good_call_gives_its_value(http: PlainHttp, op: str, body: dict[str, Any], expected: Any) -> None:
    """Of a dictionary the named members are compared; a pair is the code and field of an error."""
    status, found = http.call(op, body)
    if isinstance(expected, tuple):
        assert (status, found["result"], found["error"]["code"], found["error"]["field"]) == (200, "error", *expected)
        return
    assert (status, found["result"]) == (200, "ok"), found
    _compare(found["val"], expected)


def _compare(found: Any, expected: Any) -> None:
    if expected is ANY:
        return
    if isinstance(expected, dict) and expected:
        for name, member in expected.items():
            _compare(found[name], member)
    else:
        assert found == expected


ARGUMENTS: dict[str, dict[str, tuple[Any, ...]]] = {
    "tell": {
        "context": ([3], {"a": 1}, ["missing"], ["T", ".."]),
        "componentid": (NOTHING, None, 3, "missing", ""),
        "evidence": (NOTHING, None, "x", {"evidence_type": "guess"}, {"flags": 3}, {"time": "x"}),
    },
    "ask": {
        "context": (3, ["missing"], ["..", "x"]),
        "view": (3, [3], "missing", ["missing"], [["missing", "x"]]),
        "resolver": (
            "missing", 3, {"evidence_filter": "last5"}, {"resolver": 3},
            {"evidence_filter": "since_time", "since_time": "noon"},
        ),
    },
    "mkcontext": {
        "context": (3, ["T", ".."]),
        "contextobj": (NOTHING, 3, {}, {"Identifier": None}, context(""), context(".."), context("a\x00"), context(3)),
    },
    "getcontext": {"context": (3, [3], ["T", ".."])},
    "delcontext": {"context": (NOTHING, None, 3, [], [""], "", "/", ["T", ".."])},
    "mkcomponent": {
        "context": (3, ["missing"], ["T", ".."]),
        "componentobj": (
            NOTHING, 3, {}, component(""), component(".."), component("x", component_type="y"),
            component("x", value_type="int"), component("x", resolver=3), component("x", goals=["y"]),
            component("x", value_list=3), component("x", goals=3),
            component("x", value_type="enum"), component("x", evidencelist=[{"evidence_type": "guess"}]),
        ),
    },
    "delcomponent": {"context": (3, ["missing"]), "componentid": (NOTHING, None, 3, "")},
    "mkview": {
        "context": (3, ["missing"]),
        "viewobj": (NOTHING, 3, {}, {"Identifier": 3}, view("", ["a"]), view("v", "a"), view("v", [3])),
    },
    "delview": {"context": (3, ["missing"]), "viewid": (NOTHING, None, 3, "missing")},
    "setresolver": {
        "context": (3, ["missing"]),
        "componentid": (3, "missing"),
        "resolver": (3, ""),
    },
    "getresolvers": {"modelname": (3, "somebody")},
    "set_goals": {
        "context": (3, ["missing"]),
        "componentid": (NOTHING, None, 3, "missing"),
        "goals": (NOTHING, None, 3, ["a"], [[".."]]),
    },
    "settimezone": {"time_zone": (NOTHING, 3, "", "../../etc/localtime", "Mars/Olympus")},
    "subscribe": {
        "context": (3, ["missing"]),
        "view": (3, [], ["missing"], "missing"),
        "subscription": (NOTHING, None, 3, {}, {"statement": 3}, {"statement": "no rule"}, {"statement": ""}),
    },
    "list_subs": {"context": (3, ["missing"]), "componentid": (3, "missing")},
    "delete_sub": {
        "context": (3, ["missing"]),
        "componentid": (NOTHING, None, 3, "missing"),
        "subname": (NOTHING, None, 3, "missing"),
    },
    "export_model": {"context": (3, ["missing"]), "resolver": ("missing", 3, {"evidence_filter": "x"})},
    "import_model": {
        "context": (3, ["missing"]),
        "partial_model": ("not json", 3, [], {}, {"contextinfo": 3}, {"contextinfo": {"Identifier": ".."}}),
    },
    "registerapp": {"app": (NOTHING, None, 3, "", "A" * 80), "apppassword": (3, ""), "description": (3, "x" * 5000)},
    "deleteapp": {"app": (NOTHING, None, 3, "missing")},
    "listapps": {"modelname": (3, "somebody")},
    "setpermission": {
        "context": (NOTHING, None, 3, ["missing"]),
        "componentid": (3, "missing"),
        "app": (NOTHING, None, 3, "missing"),
        "permissions": (3, {"ask": "yes"}, {"resolvers": "all"}, {"filters": ["missing"]}),
    },
    "getpermission": {
        "context": (NOTHING, None, 3, ["missing"]), "componentid": (3, "missing"), "app": (NOTHING, None, 3, "missing"),
    },
    "access": {"modelname": (3, "somebody")},
    "mkmodel": {"modelname": (3, "somebody")},
}  # fmt: skip
"""What is wrong of each argument, one at a time, the others being as in BASE."""

BASE: dict[str, dict[str, Any]] = {
    "tell": {"context": T, "componentid": "a", "evidence": evidence("x")},
    "ask": {"context": T, "view": ["a"]},
    "mkcontext": {"context": T, "contextobj": context("bad")},
    "delcontext": {"context": ["T", "sub"]},
    "mkcomponent": {"context": T, "componentobj": component("bad")},
    "delcomponent": {"context": T, "componentid": "a"},
    "mkview": {"context": T, "viewobj": view("v", ["a"])},
    "delview": {"context": T, "viewid": "v"},
    "setresolver": {"context": T, "componentid": "a", "resolver": "goal"},
    "set_goals": {"context": T, "componentid": "a", "goals": []},
    "subscribe": {"context": T, "view": ["n"], "subscription": RULE},
    "settimezone": {"time_zone": None},
    "delete_sub": {"context": T, "componentid": "a", "subname": "1"},
    "import_model": {"context": T, "partial_model": {"contextinfo": {"Identifier": "bad"}}},
    "registerapp": {"app": "bad", "apppassword": "secret"},
    "setpermission": {"context": T, "app": "scale", "permissions": {"ask": True}},
    "getpermission": {"context": T, "app": "scale"},
}

BAD = [
    (op, argument, value)
    for op, arguments in ARGUMENTS.items()
    for argument, values in arguments.items()
    for value in values
]

CODES = {
    "bad_field", "bad_path", "bad_value", "bad_filter", "bad_rule", "malformed", "too_large", "unknown_resolver",
    "no_such_context", "no_such_component", "no_such_view", "no_such_app", "no_such_rule", "permission_denied",
}  # fmt: skip


@pytest.mark.parametrize(
    ("op", "argument", "value"),
    [pytest.param(*row, id=f"{number}-{row[0]}-{row[1]}") for number, row in enumerate(BAD)],
)
def test_a_bad_argument_is_refused(http: PlainHttp, model: Person, op: str, argument: str, value: Any) -> None:
    """With a stable code and a message."""
    body = {**BASE.get(op, {}), argument: value}
    if value is NOTHING:
        del body[argument]
    status, found = http.call(op, body)
    assert (status, found["result"]) in {(200, "error"), (413, "error")}, found
    assert found["error"]["code"] in CODES
    assert found["error"]["message"]


def test_nothing_bad_was_made(model: Person) -> None:
    """A refused call changes nothing: the context, its components and rules are what the good rows made."""
    components, contexts, views, subscriptions = model.client.ask(T, None, None, True)
    assert sorted(one.Identifier for one in components) == ["a", "b", "e", "listed", "n", "one", "told"]
    assert sorted(contexts) == ["flat", "new", "plain", "sub"]
    assert sorted(views) == ["none", "nothing"]
    assert list(subscriptions) == ["a"]
    assert sorted(model.client.listapps()) == ["llum", "probe", "scale"]


def test_a_rule_is_listed_and_deleted_by_its_token(model: Person) -> None:
    """The token that the subscription gave."""
    token = model.client.subscribe(T, ["b"], RULE)
    assert model.client.list_subs(T, "b")[token]["statement"] == STATEMENT
    assert model.client.delete_sub(T, "b", token) is None
    assert model.client.list_subs(T, "b") == {}


def test_a_value_of_the_wrong_type_is_refused(model: Person) -> None:
    """Numbers and enums are checked."""
    for name, value in (("n", "seven"), ("e", "z")):
        with pytest.raises(Exception, match="bad_value"):
            model.tell(T, name, value)


def test_all_components_have_what_the_client_needs(model: Person) -> None:
    """It raises for a component without a known type."""
    for path in ([], ["Personal"], ["Devices"], ["Goals", "Health"], ["modelinfo"], T):
        model.client.ask(path, None, None, True)


def test_an_exported_context_is_what_an_ask_gives(model: Person) -> None:
    """The text holds the same components."""
    exported = json.loads(model.client.export_model(T))
    asked = {one.Identifier: one for one in model.client.ask(T)}
    assert set(exported["components"]) == set(asked)
    for name, members in exported["components"].items():
        assert members["value"] == asked[name].value
        assert [one["value"] for one in members["evidencelist"]] == [one.value for one in asked[name].evidencelist]


def test_a_new_persons_model_is_the_default_one(model: Person) -> None:
    """With the contexts that the original gives."""
    _, contexts, _, _ = model.client.ask([], [], None, True)
    assert {"Devices", "Apps", "Goals", "modelinfo", "Personal"} <= set(contexts)


def test_a_component_whose_resolver_is_missing_is_exported_without_a_value(person: Person) -> None:
    """Nothing is lost because of a resolver that is no longer installed."""
    person.make("R", "c", "d")
    person.tell(["R"], "c", "told")
    assert person.client.setresolver(["R"], "c", "of another installation") is True
    exported = json.loads(person.client.export_model(["R"]))
    assert [one["value"] for one in exported["components"]["c"]["evidencelist"]] == ["told"]
    assert exported["components"]["c"]["value"] is None
    with pytest.raises(Exception, match="unknown_resolver"):
        person.client.export_model(["R"], "missing")


def test_without_a_version_the_bare_value_is_given(http: PlainHttp) -> None:
    """And false for an error, as the oldest clients expect."""
    assert http.call("access", b"{}\n") == (200, True)
    assert http.call("tell", b"{}\n") == (200, False)


def test_the_client_raises_what_was_refused(model: Person) -> None:
    """It never takes a refusal for a success."""
    client: PersonisClient = model.client
    with pytest.raises(Exception, match="no_such_component"):
        client.tell(T, "missing", Evidence(evidence_type="explicit", value=1))
    assert client.status == 200
