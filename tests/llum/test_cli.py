"""The command line without a running llum: help, mistakes, exit codes."""

import io
import json
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from llum.cli.answers import in_words
from llum.cli.help import EXAMPLES
from llum.cli.main import COMMANDS, HINTS, cli, hinted, main
from llum.cli.parameters import Moment
from llum.cli.render import moment
from llum.settings import SETTINGS, variable
from schemas.errors import Code, Refusal


class Ran:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path):
    """Run `llum` with arguments in an empty folder, without settings from outside."""
    for name in SETTINGS:
        monkeypatch.delenv(variable(name), raising=False)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["llum", *arguments])
        code = main()
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return run


def is_one_line(text: str) -> bool:
    return text.startswith("llum: ") and text.count("\n") == 1 and "Traceback" not in text


def test_every_command_has_help(run) -> None:
    """`llum --help` lists all of them, and each explains itself."""
    listing = run("--help")
    assert listing.code == 0
    for name in COMMANDS:
        assert name in listing.out
        assert run(name, "--help").code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("tell", "alice"),
        ("tell", "alice", "a/b", "1", "--type", "guess"),
        ("ask", "alice", "a/b", "--filter", "last7"),
        ("ask", "alice", "a/b", "--filter", "recent_count=many"),
        ("ask", "alice", "a/b", "--as-of", "the day of doom"),
        ("admin", "token", "alice"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(run, arguments: tuple[str, ...]) -> None:
    """No traceback, no page of usage: the mistake and where to read more."""
    ran = run(*arguments)
    assert ran.code == 2
    assert is_one_line(ran.err)
    assert "--help" in ran.err


def test_value_that_is_not_json_is_shown_in_its_quoted_form(run) -> None:
    """What most people type first gets the form that works."""
    ran = run("tell", "alice", "Personal/firstname", "Al")
    assert ran.code == 2
    assert """'"Al"'""" in ran.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("tell", "alice", "Personal/firstname", '"Al"'),
        ("ask", "alice", "Personal/firstname"),
        ("admin", "person", "list"),
        ("admin", "token", "alice", "--app", "probe"),
    ],
)
def test_without_a_running_llum_commands_say_how_to_start_one(run, arguments: tuple[str, ...]) -> None:
    """The data folder is named, and `llum up`."""
    ran = run(*arguments, "--data-dir", "nowhere")
    assert (ran.code, ran.out) == (1, "")
    assert is_one_line(ran.err)
    assert "no llum is running on nowhere" in ran.err
    assert "llum up" in ran.err


def test_a_run_file_of_a_dead_process_is_not_believed(run, tmp_path: Path) -> None:
    """A llum that was killed left its address behind."""
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    (tmp_path / "run.json").write_text(json.dumps({"http": "http://x", "nats": "nats://x", "pid": dead.pid}))
    ran = run("ask", "alice", "a/b", "--data-dir", str(tmp_path))
    assert ran.code == 1
    assert "no llum is running" in ran.err


def test_bad_ids_are_refused_with_code_and_field(run) -> None:
    """`llum: code: message (field x). hint`."""
    ran = run("tell", "alice", "a/b", "1", "--app", "No Good", "--nats-url", "nats://127.0.0.1:1")
    assert ran.code == 1
    assert is_one_line(ran.err)
    assert ran.err.startswith("llum: bad_field: ")
    assert "(field app)" in ran.err


def test_bad_setting_is_one_line(run, monkeypatch: pytest.MonkeyPatch) -> None:
    """As everywhere."""
    monkeypatch.setenv("LLUM_HTTP_PORT", "eighty")
    ran = run("up")
    assert ran.code == 1
    assert is_one_line(ran.err)
    assert "LLUM_HTTP_PORT" in ran.err


def test_config_lists_every_setting_with_its_origin(run, monkeypatch: pytest.MonkeyPatch) -> None:
    """For people and as JSON."""
    monkeypatch.setenv("LLUM_NATS_URL", "nats://me:secret@bus:4222")
    ran = run("config", "--http-port", "0")
    assert ran.code == 0
    for name, setting in SETTINGS.items():
        assert name in ran.out
        assert setting.description in ran.out
    assert "me:secret" not in ran.out
    members = json.loads(run("config", "--http-port", "0", "--json").out)
    assert members["http_port"]["value"] == 0
    assert members["http_port"]["origin"] == "option"
    assert members["nats_url"] == members["nats_url"] | {"value": "nats://***@bus:4222", "place": "LLUM_NATS_URL"}
    assert members["partitions"]["origin"] == "default"


def test_nats_config_has_the_mappings_of_the_partitions_that_are_set(run) -> None:
    """The lines may be put into a server's configuration as they are."""
    ran = run("nats-config", "--partitions", "8")
    assert '"llum.cmd.*.*.*": "llum.log.{{partition(8,1)}}' in ran.out
    assert "max_payload: 8388608" in ran.out


def test_status_is_a_health_check_where_that_is_wanted(run, tmp_path: Path) -> None:
    """By its exit code. Without the option, not being ready is an answer."""
    (tmp_path / ".llum").mkdir()
    assert [run("status").code, run("status", "--check").code] == [0, 1]


def test_mdef_check_names_the_place_of_a_mistake(run, tmp_path: Path) -> None:
    """Right files are counted, wrong ones refused with their line."""
    (tmp_path / "more.mdef").write_text('@@Extra: description="x"\n')
    good = tmp_path / "good.mdef"
    good.write_text('@@Personal: description="me"\n--name: type="attribute", value_type="string"\n$include more.mdef\n')
    ran = run("mdef", "check", str(good))
    assert (ran.code, ran.out) == (0, f"{good}: 2 contexts, 1 components, 0 views\n")

    good.write_text('@@Personal: description="me"\n--name: type="nonsense"\n')
    ran = run("mdef", "check", str(good))
    assert ran.code == 1
    assert is_one_line(ran.err)
    assert "(field 2:" in ran.err

    assert "cannot read" in run("mdef", "check", str(tmp_path / "none.mdef")).err


def test_times_are_seconds_or_iso() -> None:
    """Without a zone it is this machine's."""
    assert Moment().convert("12.5", None, None) == 12.5
    assert Moment().convert("1970-01-01T00:01:00Z", None, None) == 60.0
    assert Moment().convert(moment(1234567890.0), None, None) == 1234567890.0, "what is shown is taken back"


@pytest.mark.parametrize(
    ("words", "ago_s"), [("5 minutes ago", 300), ("an hour ago", 3600), ("yesterday", 86_400), ("in 2 days", -172_800)]
)
def test_times_in_words(words: str, ago_s: float) -> None:
    """As people say them."""
    before = time.time()
    said = Moment().convert(words, None, None)
    assert before - ago_s - 1 <= said <= time.time() - ago_s + 1


def _commands(command: click.Command, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Give every command with the words that it is called by."""
    yield words, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from _commands(inner, (*words, name))


ALL_COMMANDS = {" ".join(words): command for words, command in _commands(cli) if words}
RUN_UNTIL_STOPPED = {"up", "worker", "edge", "callout", "browse", "sensor activity", "example log-llum"}


@pytest.mark.parametrize("name", ALL_COMMANDS)
def test_every_help_has_an_example_that_can_be_typed(name: str) -> None:
    """Of that very command, with all that it needs."""
    assert name in EXAMPLES, "its example is missing"
    words = shlex.split(EXAMPLES[name].split(" >>")[0])
    assert " ".join(words[1:]).startswith(name)
    command, rest = cli, words[1:]
    context = click.Context(cli)
    while isinstance(command, click.Group):
        found, command, rest = command.resolve_command(context, rest)
        assert command is not None, found
        if isinstance(command, click.Group) and rest and rest[0] not in command.list_commands(context):
            rest = ["make", *rest]  # `llum admin token alice` is short for that
    wrong = ""
    try:
        command.make_context(name, rest)
    except click.BadParameter as error:
        wrong = error.message
    assert not wrong or "does not exist" in wrong, "but for a folder that may be missing here"


@pytest.mark.parametrize("name", ALL_COMMANDS)
def test_every_help_says_whole_sentences(name: str) -> None:
    """Also in the list of its group, and nothing breaks inside a word at 40 columns."""
    command = ALL_COMMANDS[name]
    for width in (40, 80):
        text = command.get_help(click.Context(command, info_name=name, terminal_width=width))
        assert "..." not in text.replace("[ARGS]...", "").replace("]...", "").replace("ID...", "")
        wide = command.get_help(click.Context(command, info_name=name, terminal_width=400))
        broken = set(re.split(r"[\s-]+", text)) - set(re.split(r"[\s-]+", wide))
        assert not broken, f"broken at {width} columns: {broken}"
    assert (command.help or "").split("\n\n")[0].rstrip().endswith((".", "'."))


@pytest.mark.parametrize("name", ALL_COMMANDS)
def test_every_command_that_answers_does_so_in_json_if_asked(name: str) -> None:
    """And each names the person first."""
    command = ALL_COMMANDS[name]
    if isinstance(command, click.Group):
        return
    options = {option for parameter in command.params for option in parameter.opts}
    assert ("--json" in options) != (name in RUN_UNTIL_STOPPED)
    arguments = [one.name for one in command.params if isinstance(one, click.Argument)]
    assert "user" not in arguments[1:], "USER comes first"


def test_mistakes_in_files_have_a_line_each(run, tmp_path: Path) -> None:
    """A command that reads ontologies says the same as the start of llum, and shows where each line begins."""
    (tmp_path / "o").mkdir()
    (tmp_path / "o" / "x.json").write_text("{")
    ran = run("preferences", "apply", "alice", "--target", "gnome", "--ontologies", "o")
    first, second = ran.err.splitlines()
    assert (ran.code, first) == (1, "llum: one mistake in files about ontologies:")
    assert second.startswith("  o/x.json:1:2: this is not JSON")


def test_errors_have_one_shape_in_json(run) -> None:
    """Of wrong use, of what is refused, of what fails: one object in one line, with an exit code as without."""
    for arguments, exit_code, code in (
        (("nonsense",), 2, "usage"),
        (("ask",), 2, "usage"),
        (("ask", "Not An Id"), 1, "setup"),
        (("mdef", "check", "none.mdef"), 1, "setup"),
    ):
        ran = run(*arguments, "--json")
        assert (ran.code, ran.out) == (exit_code, "")
        error = json.loads(ran.err)["error"]
        assert (error["code"], set(error)) == (code, {"code", "message", "field", "hint"})


def test_errors_name_what_was_typed() -> None:
    """Not the fields of messages, and apps by the names that they were registered with."""
    shown = in_words(Refusal(Code.NO_SUCH_APP, "x--_4dy_48ealth is not registered", "view[0]"))
    assert shown == "no_such_app: MyHealth is not registered (field PATH)"
    assert in_words(Refusal(Code.BAD_VALUE, "no", "evidence.value[2].x")) == "bad_value: no (field VALUE)"
    assert in_words(Refusal(Code.BAD_FIELD, "no", "evidence.useby")) == "bad_field: no (field --useby)"
    assert in_words(Refusal(Code.BAD_FIELD, "no", "user")) == "bad_field: no (field USER)"
    assert in_words(Refusal(Code.ID_REUSED, "no", "id")) == "id_reused: no (field --id)"
    assert in_words(Refusal(Code.BAD_FIELD, "no", "goals[0]")) == "bad_field: no (field goals[0])", "nothing else fits"


def test_a_command_that_is_not_there(run) -> None:
    """What was perhaps meant, and what there is."""
    ran = run("aks")
    assert ran.code == 2
    assert "Did you mean ask? The commands are: up, status, doctor, admin, " in ran.err
    assert "Did you mean person? " in run("admin", "persn").err


def test_no_is_an_answer(run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not an interruption."""
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    ran = run("admin", "person", "forget", "alice")
    assert (ran.code, ran.err) == (1, "llum: nothing was erased\n")


def test_help_needs_neither_bus_nor_web_server() -> None:
    """`llum --help` is instant because it imports nearly nothing."""
    script = "import sys; sys.argv = ['llum', '--help']; from llum.cli.main import main; main(); print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    assert not {"nats", "aiohttp", "structlog", "asyncio", "psutil"} & set(out.split())


def test_commands_table_names_what_exists() -> None:
    """Each lazy command can be imported, and its line of help is its own."""
    for name in COMMANDS:
        command = cli.get_command(None, name)  # type: ignore[arg-type]
        assert command is not None
        assert command.name == name


def test_hints_name_commands_of_this_tool(run) -> None:
    """A refusal from the model cannot name a command, as its reader may have none; the command line can."""
    refused = Refusal(Code.NO_SUCH_MODEL, "bob has no model here", hint="the operator can make one")
    assert str(hinted(refused)) == "no_such_model: bob has no model here. Make one with `llum admin person add`."
    before = Refusal(Code.NO_SUCH_MODEL, "the model had not yet been made then", "as_of")
    assert hinted(before) is before, "to make a model now would not help"
    for hint in HINTS.values():
        words = hint.split("`")[1].split()
        assert run(*words[1:], "--help").code == 0
