"""The original's faults, each one looked for in a real llum through the original's client. None may be there."""

import http.client
import json
import pickle
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from schemas.errors import Code
from tests.edge_http.personis_client import Component, Context, DeniedError, Evidence, PersonisClient, View
from tests.personis.conftest import Person
from tests.system.harness import until
from tests.system.plain_http import PlainHttp

NewPerson = Callable[[], Person]


def copy_rule(source: str, target: str) -> dict[str, str]:
    """Whatever `source` holds is told to `target`."""
    return rule(f'<default!./{source}> ~ ".*" : TELL ./{target}, inferred:<default!./{source}>')


def rule(statement: str) -> dict[str, str]:
    return {"user": "alice", "password": "her password", "statement": statement}


def denied(call: Callable[[], Any]) -> bool:
    """Tell whether a device's call is refused."""
    try:
        call()
    except DeniedError:
        return True
    return False


def test_fault_1_lost_writes(person: Person) -> None:
    """Eight clients tell one component fifty times each: all four hundred are kept, each client's in its order."""
    person.make("T", "c")

    def tell_fifty(number: int) -> None:
        client = person.another_client()
        for count in range(50):
            assert client.tell(["T"], "c", Evidence(evidence_type="explicit", value=f"{number}:{count}")) is None

    with ThreadPoolExecutor(8) as clients:
        list(clients.map(tell_fifty, range(8)))
    values = [one.value for one in person.evidence(["T"], "c")]
    assert len(values) == 400
    for number in range(8):
        assert [it for it in values if it.startswith(f"{number}:")] == [f"{number}:{count}" for count in range(50)]


def test_fault_2_rules_do_not_mix_people_up(new_person: NewPerson) -> None:
    """Four people's rules run at the same time: what they write is each one's own, and nothing is missing."""
    people = [new_person() for _ in range(4)]
    for person in people:
        person.make("T", "a", "b")
        person.client.subscribe(["T"], ["a"], copy_rule("T/a", "T/b"))

    def tell_many(person: Person) -> None:
        for count in range(30):
            person.tell(["T"], "a", f"{person.user}:{count}")

    with ThreadPoolExecutor(4) as tellers:
        list(tellers.map(tell_many, people))
    for person in people:
        until(lambda it=person: len(it.evidence(["T"], "b")) >= 30, "every tell has been copied")
        written = [one.value for one in person.evidence(["T"], "b")]
        assert sorted(written) == sorted(f"{person.user}:{count}" for count in range(30))


def test_fault_3_an_import_keeps_order_times_and_owners(person: Person, new_person: NewPerson) -> None:
    """In another person's model, too; and the same import again adds nothing."""
    person.make("T", "c", "d")
    for count in range(5):
        person.tell(["T"], "c", f"value {count}", time=1000.0 + count, flags=["goal"] if count == 2 else [])
    exported = person.client.export_model(["T"])
    other = new_person()
    other.make("To")
    for _ in range(3):
        assert other.client.import_model(["To"], exported) == json.loads(exported)
    (kept,) = other.client.ask(["To", "T"], ["c"])
    assert [vars(one) for one in kept.evidencelist] == [vars(one) for one in person.evidence(["T"], "c")]
    assert kept.evidencelist[0].owner == person.user
    assert kept.value == "value 4"
    again = json.loads(other.client.export_model(["To", "T"]))["components"]
    assert again["c"]["evidencelist"] == json.loads(exported)["components"]["c"]["evidencelist"]


def test_fault_4_an_apps_password_is_checked(person: Person, new_person: NewPerson) -> None:
    """Only the right one of this very person's app lets anything in, and only until the app is deleted."""
    person.make("T", "c")
    person.client.registerapp("scale", "a scale", "right")
    person.client.setpermission(["T"], app="scale", permissions={"ask": True, "tell": True})
    told = Evidence(evidence_type="explicit", value="70 kg")
    assert person.device("scale", "right").tell(["T"], "c", told) is None
    for app, password in (("scale", "wrong"), ("scale", ""), ("probe", "right"), ("nobody", "right")):
        device = person.device(app, password)
        assert denied(lambda it=device: it.tell(["T"], "c", told))
        assert device.status == 401
    assert denied(lambda: new_person().device("scale", "right").ask(["T"]))
    assert [one.source for one in person.evidence(["T"], "c")] == ["scale"]
    device = person.device("scale", "right")
    person.client.deleteapp("scale")
    assert denied(lambda: device.tell(["T"], "c", told))


def test_fault_4_guessing_a_password_is_slowed_down(person: Person) -> None:
    """After some wrong ones even the right one must wait."""
    person.client.registerapp("door", "a door", "right")
    guesser = person.device("door", "wrong")
    until(lambda: denied(lambda: guesser.ask([])) and guesser.status == 429, "guesses are refused unseen")
    assert int(guesser.retry_after or 0) >= 1


CLIMBING = [["..", "{other}"], ["T", "..", "..", "{other}"], ["."], ["/etc"], ["T", "/etc"], ["{dir}"]]


@pytest.mark.parametrize("path", CLIMBING)
def test_fault_5_no_path_leads_out_of_the_model(person: Person, new_person: NewPerson, path: list[str]) -> None:
    """Neither to another person nor to the machine, for reading or writing."""
    other = new_person()
    other.make("Secret", "s")
    person.make("T", "c")
    data_dir = str(person.llum.data_dir)
    climbing = [part.format(other=other.user, dir=data_dir) for part in path]
    client = person.client
    told = Evidence(evidence_type="explicit", value=1)
    calls = [
        lambda: client.ask(climbing), lambda: client.ask([*climbing, "Secret"], ["s"]),
        lambda: client.ask(["T"], [[*climbing, "Secret", "s"]]), lambda: client.tell([*climbing, "Secret"], "s", told),
        lambda: client.mkview(climbing, View(Identifier="v", component_list=["s"])),
        lambda: client.export_model(climbing), lambda: client.import_model(climbing, "{}"),
        lambda: client.mkcomponent(climbing, Component(Identifier="x", component_type="goal", value_type="string")),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(Exception, match=r"bad_path|no_such_context|bad_field"):
            call()
    assert other.evidence(["Secret"], "s") == []
    assert other.client.ask(["Secret"], [], None, True)[1:] == [[], {}, {}]


@pytest.mark.parametrize("root", [[], [""], "", "/", None])
def test_fault_6_the_root_cannot_be_deleted(person: Person, root: Any) -> None:
    """However it is spelled; the model stays as it was."""
    person.make("T", "c")
    with pytest.raises(Exception, match=r"bad_path|bad_field"):
        person.client.delcontext(root)
    assert person.client.ask(["T"])[0].Identifier == "c"
    assert person.client.access() is None


def test_fault_7_a_token_is_one_token_and_no_more(person: Person) -> None:
    """Each is new and too long to guess; none that differs in anything is taken; a bearer buys no other token."""
    tokens = [person.llum.run("admin", "token", person.user, "--app", "probe") for _ in range(3)]
    assert len(set(tokens)) == 3
    assert min(map(len, tokens)) >= 40
    for forged in (tokens[0][:-1], tokens[0] + "x", tokens[0].swapcase(), "x" * len(tokens[0]), person.user):
        assert PlainHttp(person.llum.http, forged).call("access", {})[0] == 401
    for op in ("request_token", "authorize", "allow", "list_clients_put"):
        form = {"grant_type": "authorization_code", "code": person.token, "refresh_token": person.token}
        status, answered = PlainHttp(person.llum.http, person.token).call(op, form)
        assert "access_token" not in json.dumps(answered)
        assert status in (200, 400, 401, 403, 404, 405)


def test_fault_7_an_app_has_what_the_owner_granted(person: Person) -> None:
    """And nothing of what an owner may do."""
    person.make("T", "c")
    person.make("Other", "o")
    person.client.registerapp("scale", "a scale", "secret")
    device = person.device("scale", "secret")
    owners = [
        lambda: device.call("listapps"), lambda: device.call("registerapp", app="mine", apppassword="x"),
        lambda: device.call("registerapp", app="scale", apppassword="x"), lambda: device.call("deleteapp", app="probe"),
        lambda: device.call("setpermission", context=[], app="scale", permissions={"ask": True}),
        lambda: device.call("getpermission", context=[], app="probe"),
        lambda: device.call("import_model", partial_model={}), lambda: device.call("export_model", context=[]),
        lambda: device.ask(["T"]), lambda: device.call("delcontext", context=["T"]),
    ]  # fmt: skip
    assert all(denied(call) for call in owners)
    person.client.setpermission(["T"], app="scale", permissions={"ask": True})
    assert [one.Identifier for one in device.ask(["T"])] == ["c"]
    assert denied(lambda: device.ask(["Other"]))
    assert denied(lambda: device.tell(["T"], "c", Evidence(evidence_type="explicit", value=1)))


def test_fault_8_no_answer_holds_a_password(person: Person) -> None:
    """Neither as it was given nor hashed: not of an app, not of a subscription."""
    person.make("T", "a", "b")
    client = person.client
    answers = [client.registerapp("scale", "d", "the app's secret"), client.listapps()]
    client.subscribe(["T"], ["a"], copy_rule("T/a", "T/b"))
    answers += [client.list_subs(["T"], "a"), client.ask(["T"], ["a"], None, True)[3], client.export_model([])]
    text = repr(answers)
    assert copy_rule("T/a", "T/b")["statement"] in repr(client.list_subs(["T"], "a"))
    assert "the app's secret" not in text
    assert "her password" not in text
    assert "argon2" not in text
    files = person.llum.command("admin", "app", "list", person.user).stdout
    assert "secret" not in files
    logs = "".join(one.read_text("utf-8", "replace") for one in (person.llum.data_dir / "log").glob("*"))
    assert "the app's secret" not in logs
    assert "her password" not in logs


def test_fault_8_a_deleted_app_leaves_no_permission(person: Person) -> None:
    """An app that is registered under its name later begins with nothing."""
    person.make("T", "c")
    client = person.client
    client.registerapp("scale", "d", "one")
    client.setpermission(["T"], app="scale", permissions={"ask": True, "tell": True})
    client.setpermission(["T"], "c", "scale", {"ask": True})
    client.deleteapp("scale")
    client.registerapp("scale", "another", "two")
    assert client.getpermission(["T"], app="scale") is None
    assert client.getpermission(["T"], "c", "scale") is None
    assert denied(lambda: person.device("scale", "two").ask(["T"]))
    assert denied(lambda: person.device("scale", "one").ask(["T"]))


OPERATIONS = [
    "access", "tell", "ask", "mkmodel", "mkcontext", "getcontext", "delcontext", "mkcomponent", "delcomponent",
    "mkview", "delview", "setresolver", "getresolvers", "set_goals", "subscribe", "list_subs", "delete_sub",
    "export_model", "import_model", "registerapp", "deleteapp", "listapps", "setpermission", "getpermission",
    "nonsense",
]  # fmt: skip
DEEP = b'{"context": "' + b"a/" * 5000 + b'"}'
BODIES = [b"", b"nonsense", b"[]", b"null", b'{"context": 3}', DEEP, b"\xff", b"[" * 9000]


@pytest.mark.parametrize("op", OPERATIONS)
def test_fault_9_nothing_sent_gives_a_page_with_a_traceback(person: Person, op: str) -> None:
    """Every answer is JSON, none is 500, and what is unpickled of an error is the same whatever was sent."""
    client = PlainHttp(person.llum.http, person.token)
    for body in BODIES:
        status, answered = client.call(op, body)
        assert status in ((200, 413, 404) if op == "nonsense" else (200, 413))
        text = json.dumps(answered)
        assert "Traceback" not in text
        assert 'File \\"' not in text
        if isinstance(answered, dict) and answered.get("result") == "error":
            code = Code(answered["error"]["code"])
            kind, members, exception = answered["val"]
            assert (kind, members) == ("ValueError", {})
            assert repr(pickle.loads(exception.encode())) == repr(ValueError(f"{code}: {code.description}"))
    client.close()


@pytest.mark.parametrize("op", OPERATIONS)
def test_fault_9_no_get_changes_anything(person: Person, op: str) -> None:
    """It is refused, whatever is in the address."""
    person.make("T", "c")
    query = urllib.parse.urlencode({"context": '["T"]', "componentid": "c", "app": "x", "apppassword": "y"})
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(person.llum.http).netloc)
    connection.request("GET", f"/{op}?{query}", headers={"Authorization": f"Bearer {person.token}"})
    assert connection.getresponse().status == (404 if op == "nonsense" else 405)
    connection.close()
    assert [one.Identifier for one in person.client.ask(["T"])] == ["c"]


def filtered(person: Person, **resolver: Any) -> list[Any]:
    return [one.value for one in person.client.ask(["T"], ["n"], resolver)[0].evidencelist]


def test_fault_10_filters_give_what_they_say(person: Person) -> None:
    """The last ten, the last one, those since a time, a number of the latest, the goals."""
    person.make("T", "n", value_type="number")
    for count in range(15):
        person.tell(["T"], "n", count, flags=["goal"] if count == 3 else [])
    assert filtered(person, evidence_filter="last10") == list(range(5, 15))
    assert filtered(person, evidence_filter="last1") == [14]
    assert filtered(person, evidence_filter="recent_count", recent_count=3) == [12, 13, 14]
    assert filtered(person, evidence_filter="goal") == [3]
    tenth = person.evidence(["T"], "n")[10].creation_time
    assert filtered(person, evidence_filter="since_time", since_time=tenth) == list(range(10, 15))


def test_fault_10_an_empty_component_does_not_fail(person: Person) -> None:
    """Not with any filter: there is no evidence, and no value."""
    person.make("T", "n", "m")
    for name in ("last1", "last10", "all", "goal"):
        found = person.client.ask(["T"], ["n", "m"], {"evidence_filter": name})
        assert [(one.value, one.evidencelist) for one in found] == [(None, []), (None, [])]


def test_fault_10_recent_gives_the_latest_of_any_kind(person: Person) -> None:
    """As a value, which the original leaves empty."""
    person.make("T", "n", value_type="number")
    person.tell(["T"], "n", 1)
    person.tell(["T"], "n", 2, flags=["goal"])
    assert [person.client.ask(["T"], ["n"], name)[0].value for name in ("default", "goal", "recent")] == [1, 2, 2]


@pytest.mark.parametrize("value", ["seven", "", "7 ", True, None, [7], {"a": 1}])
def test_fault_10_a_number_is_a_number(person: Person, value: Any) -> None:
    """What is none is refused and not kept."""
    person.make("T", "n", value_type="number")
    with pytest.raises(Exception, match="bad_value"):
        person.tell(["T"], "n", value)
    assert person.evidence(["T"], "n") == []


def test_fault_11_a_path_in_a_view_is_the_component_it_names(person: Person) -> None:
    """And not one of the same name in the view's own context."""
    person.make("A", "c")
    person.make("B", "c", "d")
    person.tell(["A"], "c", "in A")
    person.tell(["B"], "c", "in B")
    person.client.mkview(["A"], View(Identifier="v", component_list=["c", ["", "B", "c"], ["B", "d"]]))
    assert [one.value for one in person.client.ask(["A"], "v")] == ["in A", "in B", None]


def test_fault_11_a_view_shows_nothing_that_is_forbidden(person: Person) -> None:
    """An app that may ask the view's context gets the rest of it, and nothing from elsewhere."""
    person.make("A", "c")
    person.make("Secret", "s")
    person.tell(["Secret"], "s", "hidden")
    person.client.mkview(["A"], View(Identifier="v", component_list=["c", ["Secret", "s"]]))
    person.client.registerapp("scale", "d", "pw")
    person.client.setpermission(["A"], app="scale", permissions={"ask": True})
    device = person.device("scale", "pw")
    assert [one.Identifier for one in device.ask(["A"], "v")] == ["c"]
    assert "hidden" not in json.dumps(device.call("ask", context=["A"], view=[["Secret", "s"], "c"]))
    assert denied(lambda: device.ask(["A"], [["Secret", "s"]]))


def test_fault_12_one_bad_component_does_not_break_the_ask(person: Person) -> None:
    """The others are answered; nothing else than the bad one is missing."""
    person.make("T", "a", "b", "c")
    for name in ("a", "b", "c"):
        person.tell(["T"], name, name)
    person.client.setresolver(["T"], "b", "of_another_installation")
    person.client.mkview(["T"], View(Identifier="v", component_list=["a", "missing", "c", ["No", "where"]]))
    assert [one.value for one in person.client.ask(["T"])] == ["a", "c"]
    assert [one.value for one in person.client.ask(["T"], "v")] == ["a", "c"]
    assert [one.value for one in person.client.ask(["T"], ["missing", "c"])] == ["c"]


class Listener:
    """A web server that keeps the addresses that it was asked for."""

    def __init__(self, url: str, heard: list[str]) -> None:
        self.url = url
        self.heard = heard


@contextmanager
def listening() -> Iterator[Listener]:
    heard: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *arguments: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Listener(f"http://127.0.0.1:{server.server_port}", heard)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_fault_13_notify_fetches_the_address(person: Person) -> None:
    """The concatenation of its items, for each tell that matches, in their order."""
    person.make("T", "a")
    with listening() as listener:
        statement = f'<default!./T/a> ~ "home.*" : NOTIFY "{listener.url}/said?value=" <default!./T/a>'
        person.client.subscribe(["T"], ["a"], rule(statement))
        for value in ("home1", "away", "home2"):
            person.tell(["T"], "a", value)
        until(lambda: len(listener.heard) >= 2, "the listener is told twice")
        assert listener.heard == ["/said?value=home1", "/said?value=home2"]


BAD_RULES = [
    "",
    "nonsense",
    '"a" ~ : TELL ./T/b, explicit:"x"',
    '"a" ~ "(" : TELL ./T/b, explicit:"x"',
    '<default!./T/a> ~ "x" : TELL ./T/b, guessed:"x"',
    '[61 * * * *] "a" ~ "a" : NOTIFY "http://x"',
]


@pytest.mark.parametrize("statement", BAD_RULES)
def test_fault_13_a_bad_rule_is_refused(person: Person, statement: str) -> None:
    """The original's client is told, and others where the mistake is; the component has no rule."""
    person.make("T", "a", "b")
    with pytest.raises(ValueError, match="bad_rule"):
        person.client.subscribe(["T"], ["a"], rule(statement))
    body = {"context": ["T"], "view": ["a"], "subscription": rule(statement)}
    _, found = PlainHttp(person.llum.http, person.token).call("subscribe", body)
    assert found["error"]["code"] == "bad_rule"
    assert found["error"]["field"].startswith("subscription.statement")
    assert person.client.list_subs(["T"], "a") == {}


def test_fault_13_a_rule_that_sets_itself_off_is_bounded(person: Person) -> None:
    """It ends by itself, its owner is told why, and the model answers as before."""
    person.make("T", "a")
    person.client.subscribe(["T"], ["a"], rule('<default!./T/a> ~ ".*" : TELL ./T/a, inferred:"again"'))
    person.tell(["T"], "a", "first")
    until(lambda: "rule_limit" in person.llum.run("admin", "rejected", person.user), "the limit is reported")
    count = len(person.evidence(["T"], "a"))
    assert 2 <= count <= 1001
    person.tell(["T"], "a", "second")
    until(lambda: len(person.evidence(["T"], "a")) == 2 * count, "it is bounded the same way again")


def test_fault_14_a_cron_rule_fires_on_its_schedule_only(person: Person) -> None:
    """Tells do not fire it; it survives a restart; when it is deleted it fires no more."""
    person.make("T", "a", "tick", "told")
    every_second = rule('["* * * * * *"] "x" ~ "x" : TELL ./T/tick, inferred:"tick"')
    rarely = rule('["0 0 31 12 *"] "x" ~ "x" : TELL ./T/told, inferred:"wrong"')
    token = person.client.subscribe(["T"], ["a"], every_second)
    person.client.subscribe(["T"], ["a"], rarely)
    person.llum.run("admin", "person", "time-zone", person.user, "Europe/Amsterdam")
    until(
        lambda: "-12-31 00:00 Europe/Amsterdam" in person.llum.run("admin", "rule", "list", person.user),
        "it is planned",
    )
    until(lambda: len(person.evidence(["T"], "tick")) >= 2, "the schedule fires")
    person.llum.stop()
    person.llum.start()
    client = PersonisClient(person.llum.http, person.token)
    for _ in range(20):
        client.tell(["T"], "a", Evidence(evidence_type="explicit", value="x"))

    def ticks() -> list[Any]:
        found: list[Any] = client.ask(["T"], ["tick"])[0].evidencelist
        return found

    before = len(ticks())
    until(lambda: len(ticks()) >= before + 2, "the schedule fires after the restart")
    assert client.ask(["T"], ["told"])[0].evidencelist == []
    accepted = [one.creation_time for one in ticks()]
    seconds = max(accepted) - min(accepted)
    assert len(accepted) <= seconds + 3, "once a second; the first or last may have been late"
    assert client.delete_sub(["T"], "a", token) is None
    _nothing_more_comes(client, len(ticks()))
    client.close()


def _nothing_more_comes(client: PersonisClient, count: int) -> None:
    """Let another rule be the clock: the deleted one has had its chances when that one has fired some times."""
    clock = rule('["* * * * * *"] "x" ~ "x" : TELL ./T/told, inferred:"clock"')
    token = client.subscribe(["T"], ["a"], clock)
    until(lambda: len(client.ask(["T"], ["told"])[0].evidencelist) >= 3, "the other rule fires")
    assert len(client.ask(["T"], ["tick"])[0].evidencelist) <= count + 1
    client.delete_sub(["T"], "a", token)


@pytest.mark.parametrize("spec", ["0 12 31 * *", "0 0 * 12 *", "*/5 9-17 * jan,dec mon-fri", "59 23 31 12 7"])
def test_fault_14_the_31st_and_december_are_there(person: Person, spec: str) -> None:
    """Such schedules are taken, and kept as they were written."""
    person.make("T", "a")
    token = person.client.subscribe(["T"], ["a"], rule(f'["{spec}"] "x" ~ "x" : TELL ./T/a, inferred:"x"'))
    assert spec in person.client.list_subs(["T"], "a")[token]["statement"]


def test_fault_15_a_name_with_a_colon_is_another_component(person: Person) -> None:
    """`x` with evidence and `x:1` have nothing to do with one another."""
    person.make("T", "x", "x:1", "x:2")
    for count in range(3):
        person.tell(["T"], "x", f"x {count}")
    person.tell(["T"], "x:1", "of x:1")
    assert [one.value for one in person.evidence(["T"], "x")] == ["x 0", "x 1", "x 2"]
    assert [one.value for one in person.evidence(["T"], "x:1")] == ["of x:1"]
    assert person.client.delcomponent(["T"], "x") is None
    assert person.value(["T"], "x:1") == "of x:1"


ODD_NAMES = ["größe", "a b", "a/b", "a.b", "*", ">", "日本", "'", '"', "%2e%2e", "~1", "-", "x" * 256]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_fault_15_what_can_be_made_can_be_deleted(person: Person, name: str) -> None:
    """Whatever its name: components, contexts and views."""
    person.make("T", name)
    person.tell(["T"], name, "v")
    assert person.value(["T"], name) == "v"
    assert person.client.mkcontext(["T"], Context(Identifier=name)) is True
    assert person.client.getcontext(["T", name])["Identifier"] == name
    assert person.client.mkview(["T"], View(Identifier=name, component_list=[name])) is None
    assert [one.value for one in person.client.ask(["T"], name)] == ["v"]
    assert person.client.delview(["T"], name) is None
    assert person.client.delcontext(["T", name]) is True
    assert person.client.delcomponent(["T"], name) is None
    assert person.client.ask(["T"], None, None, True) == [[], [], {}, {}]


def test_fault_15_a_components_permission_counts(person: Person) -> None:
    """It is nearer than the context's: it forbids what that allows, and allows what that forbids."""
    person.make("T", "open", "closed")
    person.client.registerapp("scale", "d", "pw")
    person.client.setpermission(["T"], app="scale", permissions={"ask": True, "tell": True})
    person.client.setpermission(["T"], "closed", "scale", {"ask": False, "tell": False})
    device = person.device("scale", "pw")
    told = Evidence(evidence_type="explicit", value="v")
    assert [one.Identifier for one in device.ask(["T"])] == ["open"]
    assert denied(lambda: device.ask(["T"], ["closed"]))
    assert denied(lambda: device.tell(["T"], "closed", told))
    assert device.tell(["T"], "open", told) is None
    person.client.setpermission(["T"], app="scale", permissions={"ask": False, "tell": False})
    person.client.setpermission(["T"], "open", "scale", {"ask": True})
    assert [one.value for one in device.ask(["T"], ["open"])] == ["v"]
    assert denied(lambda: device.ask(["T"], ["closed"]))
