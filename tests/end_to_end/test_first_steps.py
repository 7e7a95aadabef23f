"""What a newcomer does first: a person, a tell, an ask, a token; over the command line and HTTP."""

import json
import re
import subprocess
import time

import pytest

from llum.client import Client
from schemas.errors import Code, Refusal
from tests.end_to_end.conftest import Llum
from tests.system.harness import until

NAME = ("--first-name", "Alice", "--last-name", "Smith", "--email", "a@example.org")


def test_ready_file_says_where_everything_answers(shared_llum: Llum) -> None:
    """HTTP, bus and pid; run.json says the same."""
    ready = shared_llum.ready
    assert ready["pid"] == shared_llum.supervisor_pid
    assert ready["nats"].startswith("nats://127.0.0.1:")
    assert json.loads((shared_llum.data_dir / "run.json").read_text()) == ready
    assert shared_llum.get_status("/health") == 200
    assert shared_llum.get_status("/ready") == 200


def test_printed_commands_work_as_printed(shared_llum: Llum) -> None:
    """In the shell and folder that llum was started from."""
    lines = shared_llum.printed().split("Try, in another terminal:\n")[1].split("\n\n")[0]
    outputs = []
    for line in lines.splitlines():
        ran = subprocess.run(
            line, shell=True, cwd=shared_llum.folder, env=shared_llum.environment, capture_output=True, text=True
        )
        assert ran.returncode == 0, ran.stderr
        outputs.append(ran.stdout)
    assert len(outputs) == 4
    assert outputs[3].startswith('"Al"\nbecause ')


def test_person_is_made_once(shared_llum: Llum) -> None:
    """With what is known of them told as first evidence; the second time it is said that they are there."""
    shared_llum.cli("admin", "person", "add", "anna", *NAME)
    assert shared_llum.cli("ask", "anna", "Personal/email").stdout == '"a@example.org"\n'
    again = shared_llum.cli("admin", "person", "add", "anna", check=False)
    assert again.returncode == 1
    assert again.stderr.startswith("llum: already_exists: ")
    assert shared_llum.cli("admin", "person", "add", "anna", "--exist-ok").returncode == 0
    assert "anna" in shared_llum.cli("admin", "person", "list").stdout.split()
    shown = shared_llum.cli("admin", "person", "show", "anna").stdout
    assert "Personal" in shown
    assert '"Smith"' in shown


def test_tell_and_ask(shared_llum: Llum) -> None:
    """The latest evidence wins; a view keeps its order; a context gives all of its components; filters choose."""
    llum = shared_llum
    llum.cli("admin", "person", "add", "bob", *NAME)
    assert re.fullmatch(r"told, sequence \d+\n", llum.cli("tell", "bob", "Personal/firstname", '"Bob"').stdout)
    assert llum.cli("ask", "bob", "Personal/firstname").stdout == '"Bob"\n'

    answer = json.loads(llum.cli("ask", "bob", "Personal/firstname", "--json").stdout)
    assert answer["value"] == "Bob"
    assert answer["path"] == ["Personal", "firstname"]

    view = json.loads(llum.cli("ask", "bob", "Personal/fullname", "--json").stdout)
    assert [component["value"] for component in view["components"]] == ["Bob", "Smith"]
    assert "lastname" in llum.cli("ask", "bob", "Personal").stdout

    evidence = llum.cli("ask", "bob", "Personal/firstname", "--filter", "last1", "--evidence", "--json").stdout
    assert [one["value"] for one in json.loads(evidence)["evidence"]] == ["Bob"]


def test_flags_expiry_and_the_past(shared_llum: Llum) -> None:
    """Options of tell and ask reach the model."""
    llum = shared_llum
    llum.cli("admin", "person", "add", "carl", *NAME)
    first = json.loads(llum.cli("ask", "carl", "Personal/firstname", "--json").stdout)["seq"]
    llum.cli("tell", "carl", "Personal/firstname", '"Karl"', "--flag", "goal", "--comment", "one day")
    assert llum.cli("ask", "carl", "Personal/firstname").stdout == '"Alice"\n'
    assert llum.cli("ask", "carl", "Personal/firstname", "--resolver", "goal").stdout == '"Karl"\n'

    llum.cli("tell", "carl", "Personal/firstname", '"Gone"', "--useby", str(time.time() - 1))
    llum.cli("tell", "carl", "Personal/firstname", '"Carl"', "--type", "implicit", "--time", "2021-05-04T10:00:00Z")
    assert llum.cli("ask", "carl", "Personal/firstname", "--as-of-seq", str(first)).stdout == '"Alice"\n'
    explained = llum.cli("ask", "carl", "Personal/firstname", "--explain", "--filter", "all").stdout
    assert explained.startswith('"Carl"\n')
    assert "1 expired" in explained


def test_same_id_changes_nothing(shared_llum: Llum) -> None:
    """The first outcome comes back; another message under that id is refused."""
    llum = shared_llum
    llum.cli("admin", "person", "add", "dora", *NAME)
    first = json.loads(llum.cli("tell", "dora", "Personal/firstname", '"A"', "--id", "x1", "--json").stdout)
    again = json.loads(llum.cli("tell", "dora", "Personal/firstname", '"A"', "--id", "x1", "--json").stdout)
    assert again == first | {"repeated": True}
    other = llum.cli("tell", "dora", "Personal/firstname", '"B"', "--id", "x1", "--json", check=False)
    assert json.loads(other.stderr)["error"]["code"] == "id_reused"
    assert llum.cli("ask", "dora", "Personal/firstname").stdout == '"A"\n'


def test_token_works_over_http(shared_llum: Llum) -> None:
    """Only the token is printed; what is told over HTTP is asked over the command line, and the other way round."""
    llum = shared_llum
    llum.cli("admin", "person", "add", "emma", *NAME)
    token = llum.cli("admin", "token", "emma", "--app", "probe", "--owner").stdout
    assert re.fullmatch(r"\S+\n", token)
    evidence = {"evidence_type": "explicit", "value": "Em", "flags": [], "objectType": "Evidence"}
    told = llum.post("tell", token.strip(), context=["Personal"], componentid="firstname", evidence=evidence)
    assert told == {"result": "ok", "val": None}
    assert llum.cli("ask", "emma", "Personal/firstname").stdout == '"Em"\n'
    llum.cli("tell", "emma", "Personal/lastname", '"Jones"')
    asked = llum.post("ask", token.strip(), context=["Personal"], view=["lastname"], resolver=None, showcontexts=False)
    assert [component["value"] for component in asked["val"]] == ["Jones"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("tell", "finn", "Personal/nothing", "1"), "no_such_component"),
        (("tell", "finn", "Personal/gender", '"neither"'), "bad_value"),
        (("tell", "finn", "Personal/firstname", '"x"', "--app", "stranger"), "permission_denied"),
        (("ask", "finn", "No/Where"), "no_such_component"),
        (("sign-in", "nobody"), "no_such_model"),
        (("tell", "finn", "Personal/../x", "1"), "bad_path"),
        (("ask", "Finn Smith", "Personal"), "bad_field"),
        (("ask", "finn", "Personal", "--resolver", "magic"), "unknown_resolver"),
    ],
)
def test_refusals_are_one_line_with_a_code(shared_llum: Llum, arguments: tuple[str, ...], code: str) -> None:
    """Exit code 1, and nothing on stdout."""
    shared_llum.cli("admin", "person", "add", "finn", "--exist-ok")
    ran = shared_llum.cli(*arguments, check=False)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith(f"llum: {code}: ")
    assert ran.stderr.count("\n") == 1


def test_a_person_sees_what_an_app_may_do_and_revokes_it(shared_llum: Llum) -> None:
    """On the command line; the decision stays in the list."""
    llum = shared_llum
    llum.cli("admin", "person", "add", "rosa")
    llum.cli("sign-in", "rosa")
    llum.cli("admin", "app", "add", "rosa", "lamp")
    llum.cli("admin", "app", "permit", "rosa", "lamp", "Personal", "--ask", "--types", "explicit,inferred")
    assert "may ask at /Personal and below; only the evidence explicit, inferred" in llum.cli("grants", "rosa").stdout
    assert llum.cli("revoke", "rosa", "lamp").stdout == "lamp may do nothing with the model of rosa any more\n"
    shown = llum.cli("grants", "rosa", "lamp").stdout
    assert "may do nothing" in shown
    assert "revoked (through llum, by llum revoke)" in shown
    (app,) = json.loads(llum.cli("grants", "rosa", "lamp", "--json").stdout)["apps"]
    assert [one["decision"] for one in app["decisions"]] == ["revoked"]


def test_rejected_commands_are_listed(shared_llum: Llum) -> None:
    """With code and field, without the value, once they are committed."""
    llum = shared_llum
    llum.cli("admin", "person", "add", "gina")
    llum.cli("tell", "gina", "Personal/gender", '"s3cret"', check=False)

    def rejected() -> str:
        shown = llum.cli("admin", "rejected", "gina").stdout
        return shown if "bad_value" in shown else ""

    listed = str(until(rejected, "the command is listed"))
    assert "s3cret" not in listed


def test_no_value_in_any_log(shared_llum: Llum) -> None:
    """What people say about themselves, and tokens, are in no log."""
    llum = shared_llum
    llum.cli("admin", "person", "add", "hans")
    llum.cli("tell", "hans", "Personal/firstname", '"Rumpelstiltskin"')
    token = llum.cli("admin", "token", "hans", "--app", "probe", "--owner").stdout.strip()
    llum.post("ask", token, context=["Personal"], view=None, resolver=None, showcontexts=False)
    text = "".join(path.read_text() for path in (llum.data_dir / "log").iterdir())
    assert '"user":"hans"' in text
    assert "Rumpelstiltskin" not in text
    assert token not in text


async def test_sdk(shared_llum: Llum) -> None:
    """Tell and ask from Python, with read-your-writes by the sequence of the tell."""
    shared_llum.cli("admin", "person", "add", "ines")
    async with Client.connect(data_dir=shared_llum.data_dir) as client:
        told = await client.tell("ines", ["Personal", "firstname"], "Ines", comment="hello")
        answer = await client.ask("ines", "Personal/firstname", min_seq=told.seq, explain=True)
        assert answer.value == "Ines"
        assert answer.explanation is not None
        with pytest.raises(Refusal) as caught:
            await client.tell("ines", "Personal/none", 1)
        assert caught.value.code is Code.NO_SUCH_COMPONENT


def test_status_says_how_llum_stands(shared_llum: Llum) -> None:
    """What runs where, what is stored, and how long the disk lasts; as text and as one JSON object."""
    shared_llum.cli("admin", "person", "add", "stella")
    told = json.loads(shared_llum.cli("status", "--json").stdout)
    assert (told["running"], told["ready"], told["reasons"]) == (True, True, [])
    assert (told["http"], told["nats"]) == (shared_llum.ready["http"], shared_llum.ready["nats"])
    pids = {process["pid"] for process in told["processes"]}
    assert pids == {shared_llum.supervisor_pid, *(child.pid for child in shared_llum.all_children())}
    assert {process["name"] for process in told["processes"]} == {"supervisor", "nats-server", "worker", "edge"}
    assert told["people"] >= 1
    assert told["log"]["messages"] >= 1
    assert told["log"]["bytes"] > 0
    assert told["shards"]["files"] >= 1
    assert told["free_bytes"] > 0
    assert "llum         ready\n" in shared_llum.cli("status").stdout
