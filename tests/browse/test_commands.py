"""The commands, in a script: what they print, and what they do in the model."""

import re
from pathlib import Path

import click
import msgspec
import pytest

from llum.cli.browse import lines
from llum.cli.browse.commands import TABLE
from llum.cli.browse.shell import Shell
from schemas.commands import MakeComponent
from schemas.definitions import ComponentDefinition
from tests.browse.conftest import Opened, Scripted
from tests.waiting import eventually

Printed = pytest.CaptureFixture[str]


async def printed(shell: Shell, line: str, capsys: Printed) -> str:
    """Run a line that must succeed, and give what it has printed."""
    capsys.readouterr()
    succeeded = await shell.run_line(line)
    out, err = capsys.readouterr()
    assert succeeded, err
    return out


async def refused(shell: Shell, line: str, capsys: Printed) -> str:
    """Run a line that must fail, and give its one line of complaint."""
    capsys.readouterr()
    assert not await shell.run_line(line)
    err = capsys.readouterr().err
    assert err.startswith("llum: ")
    assert err.count("\n") == 1
    return err


async def test_walking(shell: Shell, capsys: Printed) -> None:
    """cd goes up, down and to the root; the prompt and pwd say where one is."""
    assert await printed(shell, "cd Goals/Health; pwd; cd ..; pwd; cd /Personal; pwd", capsys) == (
        "/Goals/Health\n/Goals\n/Personal\n"
    )
    assert shell.prompt == f"{shell.user}@/Personal> "
    await printed(shell, "cd", capsys)
    assert shell.prompt == f"{shell.user}@/> "
    assert "no_such_context" in await refused(shell, "cd Nowhere", capsys)
    assert shell.path == ()


async def test_ls_of_a_context(shell: Shell, capsys: Printed) -> None:
    """A context shows what it is, the contexts in it, its components with their values, its views."""
    assert "Personal/" in (await printed(shell, "ls", capsys)).splitlines()
    shown = await printed(shell, "ls Personal", capsys)
    assert re.search(r'^firstname +"Alice" +Given name$', shown, re.MULTILINE)
    assert re.search(r"^fullname +firstname, lastname$", shown, re.MULTILINE)


async def test_ls_of_a_component(shell: Shell, capsys: Printed) -> None:
    """A component shows its value, type, resolver, goals, newest evidence and rules."""
    shown = await printed(
        shell,
        "cd Personal; tell firstname Al --comment short; setgoals firstname /Goals/Health/x lastname;"
        """subscribe firstname '<./Personal/firstname> ~ "Z" : TELL ./Personal/gender, inferred:"other"';"""
        "setresolver firstname most_frequent; ls firstname",
        capsys,
    )
    for line in (
        r"value +\"Al\"",
        r"type +attribute, string",
        r"resolver +most_frequent \(set for the component\)",
        r"goals +/Goals/Health/x, /Personal/lastname",
        r".* llum +explicit +\d+\.\d+ +\"Alice\"",
        r".* llum +explicit +\d+ +\"Al\" +short",
        r"\d+ +llum +<\./Personal/firstname> ~ .*",
    ):
        assert re.search(f"^{line}$", shown, re.MULTILINE), line


async def test_ls_shows_the_newest_evidence(shell: Shell, capsys: Printed) -> None:
    """Of much evidence the newest is shown, and how to see more; the value is made of all of it."""
    await printed(shell, "mkcomponent n counted --value-type number", capsys)
    await printed(shell, ";".join(f"tell n {number}" for number in range(13)), capsys)
    shown = await printed(shell, "setresolver n count; ls -n 3 n", capsys)
    assert [row.split()[-1] for row in re.findall(r"^.*explicit.*$", shown, re.MULTILINE)] == ["10", "11", "12"]
    assert "older ones: ls -n 30" in shown
    assert re.search(r"^value +13$", shown, re.MULTILINE)
    assert "older ones" not in await printed(shell, "ls -n 13 n", capsys)


async def test_ls_of_a_view_and_of_nothing(shell: Shell, capsys: Printed) -> None:
    """A view shows its components by their paths; what is nowhere is refused with its path."""
    assert '/Personal/firstname  "Alice"' in await printed(shell, "ls Personal/fullname", capsys)
    assert "/Personal/nothing" in await refused(shell, "ls Personal/nothing", capsys)
    assert "/No/where/at/all" in await refused(shell, "ls No/where/at/all", capsys)


@pytest.mark.parametrize(
    ("options", "typed", "value"),
    [
        ("", "'Al Smith'", '"Al Smith"'),
        ("", "42", '"42"'),
        ("--value-type number", "-5", "-5"),
        ("--value-type number", "7e2", "700.0"),
        ("--value-type boolean", "true", "true"),
        ("--value-type JSON", """'{"a": [1]}'""", '{"a":[1]}'),
        ("--value-type enum --values up,down", "up", '"up"'),
    ],
)
async def test_values_are_typed_plainly(shell: Shell, capsys: Printed, options: str, typed: str, value: str) -> None:
    """A component of texts takes the words as they are; a number, boolean or JSON is read as such."""
    assert value in await printed(shell, f"mkcomponent c what {options}; tell c {typed}; ask c", capsys)


async def test_a_value_that_does_not_fit(shell: Shell, capsys: Printed) -> None:
    """It is refused in one line, before or by the model, and nothing is told."""
    await printed(shell, "mkcomponent c what --value-type number", capsys)
    assert "takes a number" in await refused(shell, "tell c many", capsys)
    assert "bad_value" in await refused(shell, "tell c true", capsys)
    assert await printed(shell, "ask c", capsys) == "null\n"


async def test_correcting_and_withdrawing(shell: Shell, capsys: Printed) -> None:
    """A correction counts whatever is told later, until it is withdrawn by its sequence."""
    said = await printed(shell, "cd Personal; correct firstname Alicia; tell firstname Al; ask firstname", capsys)
    assert said.endswith('"Alicia"\n')
    seq = re.search(r"corrected, sequence (\d+)", said)
    assert seq
    assert '"Al"' in await printed(shell, f"withdraw firstname {seq[1]}; ask firstname", capsys)


async def test_a_withdrawal_shows_first_what_follows(opened: Opened, capsys: Printed) -> None:
    """A preview does nothing. Who is asked sees what goes with the piece, and may say no."""
    rule = """'<./Diary/cups> ~ "[3-9]" : TELL ./Diary/awake, inferred:"yes"'"""
    made = "mkcontext Diary d; mkcomponent Diary/cups c --value-type number; mkcomponent Diary/awake a"
    async with opened() as script:
        await printed(script, f"{made}; subscribe Diary/cups {rule}; tell Diary/cups 1", capsys)
        said = await printed(script, "tell Diary/cups 5", capsys)
        seq = re.search(r"told, sequence (\d+)", said)
        assert seq

        async def is_awake() -> bool:
            return await printed(script, "ask Diary/awake", capsys) == '"yes"\n'

        await eventually(is_awake, "the rule has told something")
    dialogue = Scripted(["n", "y"])
    async with opened(dialogue=dialogue) as asked:
        withdraw = f"withdraw Diary/cups {seq[1]}"
        assert re.search(r'Diary/awake +"yes" +null', await printed(asked, f"{withdraw} --preview", capsys))
        assert "nothing was withdrawn" in await refused(asked, withdraw, capsys)
        assert await printed(asked, "ask Diary/awake", capsys) == '"yes"\n'
        assert "Evidence that goes:" in await printed(asked, withdraw, capsys)
        assert await printed(asked, "ask Diary/awake", capsys) == "null\n"
        assert dialogue.asked == ["Withdraw all of this?"] * 2


async def test_making_and_deleting(shell: Shell, capsys: Printed) -> None:
    """What is made is there and what is deleted is not; deleting where one is leads to what is above."""
    await printed(shell, 'mkcontext "Deep thought" why; cd "Deep thought"; mkcomponent answer all', capsys)
    await printed(shell, "mkview some answer /Personal/firstname; cd .; ls some; delview some; rm answer", capsys)
    assert await printed(shell, "ls", capsys) == "why\n"
    await printed(shell, "rmcontext .", capsys)
    assert shell.path == ()
    assert "Deep" not in await printed(shell, "ls", capsys)


async def test_apps_and_their_permissions(opened: Opened, shell: Shell, capsys: Printed) -> None:
    """The owner registers an app, says what it may do, and it sees that much and no more."""
    await printed(shell, 'app asker "Bars"; setperm asker Personal --ask --bind-view fullname', capsys)
    shown = await printed(shell, "setperm asker Personal/lastname --no-ask; showperm asker Personal/lastname", capsys)
    assert re.search(r"^asker +/Personal +ask +- +only view fullname$", shown, re.MULTILINE)
    assert re.search(r"^asker +/Personal/lastname +- +ask$", shown, re.MULTILINE)
    async with opened("asker") as theirs:
        seen = await printed(theirs, "ls Personal", capsys)
        assert '"Alice"' in seen
        assert "Smith" not in seen
        assert "permission_denied" in await refused(theirs, "ls Goals", capsys)
    assert re.search(r"^asker +app +no +Bars$", await printed(shell, "app", capsys), re.MULTILINE)
    assert "asker" in await printed(shell, "delapp asker", capsys)
    assert "asker" not in await printed(shell, "listapps", capsys)


async def test_rules(shell: Shell, capsys: Printed) -> None:
    """A rule is listed with its component until it is removed; a bad one is refused with its place."""
    rule = """'<./Personal/email> ~ "@" : TELL ./Personal/gid, inferred:"known"'"""
    made = await printed(shell, f"subscribe Personal/email {rule}", capsys)
    token = made.split()[1]
    assert f"email      {token}" in await printed(shell, "showsubs Personal", capsys)
    assert "statement:1:1" in await refused(shell, "subscribe Personal/email '~'", capsys)
    assert "no rules" in await printed(shell, f"delsub Personal/email {token}; listsubs Personal/email", capsys)


async def test_a_missing_argument_in_a_script(shell: Shell, capsys: Printed) -> None:
    """Nobody can be asked there, so it is a mistake, and the help to look at is named."""
    assert "missing" in await refused(shell, "tell", capsys)
    assert "Try `help tell`" in await refused(shell, "tell Personal/firstname", capsys)
    assert "--ask" in await refused(shell, "app asker Bars; setperm asker", capsys)


async def test_dialogues(opened: Opened, capsys: Printed) -> None:
    """At a terminal just what is missing is asked for."""
    dialogue = Scripted(["tea", "Cups", "activity", "number", "2", "", "a, b", "n", "y"])
    async with opened(dialogue=dialogue) as shell:
        await printed(shell, "mkcomponent; tell tea; ls tea", capsys)
        assert "nothing was deleted" in await refused(shell, "delcomponent tea", capsys)
        await printed(shell, "delcomponent tea", capsys)
    assert dialogue.answers == []
    assert dialogue.asked[:4] == ["Component?", "Description?", "Component type?", "Value type?"]


async def test_an_unknown_command(shell: Shell, capsys: Printed) -> None:
    """It is refused with what was perhaps meant."""
    assert "Did you mean mkcontext?" in await refused(shell, "mkcontex Work", capsys)
    assert "help ls" in await refused(shell, "ls --colour", capsys)


async def test_the_first_failure_ends_a_line(shell: Shell, capsys: Printed) -> None:
    """What comes after it is not run, unless the shell is to keep going."""
    assert not await shell.run_line("pwd; cd Nowhere; pwd")
    assert capsys.readouterr().out == "/\n"
    assert not await shell.run_line("pwd; cd Nowhere; pwd", keep_going=True)
    assert capsys.readouterr().out == "/\n/\n"


async def test_doing_a_file(shell: Shell, tmp_path: Path, capsys: Printed) -> None:
    """A file is run line by line, notes left out; what fails is told with the line's number."""
    file = tmp_path / "setup.txt"
    file.write_text("# set up\n\nmkcontext Work; cd Work\npwd\n")
    assert (await printed(shell, f"do {file}", capsys)).endswith("/Work\n")
    file.write_text("pwd\ncd Nowhere\npwd\n")
    assert f"{file}, line 2: no_such_context" in await refused(shell, f"do {file}", capsys)
    file.write_text(f"do {file}")
    assert "16 files" in await refused(shell, f"do {file}", capsys)
    assert "cannot read" in await refused(shell, f"do {tmp_path / 'nothing'}", capsys)


async def test_exporting_and_importing(shell: Shell, tmp_path: Path, capsys: Printed) -> None:
    """A context comes back below another one with evidence, views and rules; again changes nothing."""
    file = tmp_path / "work.llum"
    await printed(shell, "mkcontext Work what; cd Work; mkcomponent a A; mkcomponent b B --resolver recent", capsys)
    await printed(
        shell, """tell a one; tell a two; mkview v b a; subscribe b '"x" ~ "y" : TELL ./a, explicit:"z"'""", capsys
    )
    await printed(shell, f"cd /; export {file} Work; mkcontext Old old", capsys)
    assert file.stat().st_mode & 0o077 == 0
    told = "imported 1 context, 2 components, 1 view, 2 pieces of evidence, 1 rule\n"
    told += "its rules do not fire yet: read them with listsubs, then activate them\n"
    assert await printed(shell, f"import {file} Old", capsys) == told
    assert "nothing new" in await printed(shell, f"import {file} Old", capsys)
    listed = await printed(shell, "listsubs Old/Work", capsys)
    assert "suspended: imported" in listed
    (token,) = re.findall(r"^b +([\d-]+)", listed, re.MULTILINE)
    await printed(shell, f"activate Old/Work/b {token}", capsys)
    before, after = [await printed(shell, f"ls {at}; listsubs {at}", capsys) for at in ("Work", "Old/Work")]
    assert _without_tokens(before) == _without_tokens(after)
    await printed(shell, "delcontext Old; mkcontext Old old", capsys)
    assert await printed(shell, f"import {file} Old", capsys) == told


def _without_tokens(listed: str) -> str:
    """A rule that was imported has a longer name, and its column is wider."""
    return re.sub(r" +", " ", re.sub(r"b +[\d-]+ +llum", "b llum", listed))


async def test_importing_what_the_original_exported(shell: Shell, tmp_path: Path, capsys: Printed) -> None:
    """A file of the original browser is imported with its times, tellers and rules."""
    file = tmp_path / "sport.json"
    file.write_bytes(
        msgspec.json.encode(
            {
                "contextinfo": {"Identifier": "Sport", "Description": "What I do", "perms": {"fit": {"ask": True}}},
                "contexts": None,
                "components": {
                    "steps": {
                        "Description": "Steps",
                        "component_type": "activity",
                        "value_type": "number",
                        "evidencelist": [
                            {"evidence_type": "implicit", "source": "watch", "value": 4200, "creation_time": 1.3e9}
                        ],
                    }
                },
                "views": {},
                "subs": {
                    name: {"t": {"statement": '"x" ~ "y" : TELL ./a, explicit:"z"'}} for name in ("steps", "gone")
                },
            }
        )
    )
    said = await printed(shell, f"import {file}", capsys)
    assert "1 piece of evidence, 1 rule" in said
    assert "left out: rule at /Sport/gone: there is no such component\n" in said
    assert "left out: permission at /Sport: the app fit is not registered\n" in said
    assert re.search(
        r"^2011-.* watch +implicit +\d+ +4200$", await printed(shell, "ls Sport/steps", capsys), re.MULTILINE
    )
    assert "nothing new" in await printed(shell, f"import {file}", capsys)
    file.write_text("no JSON")
    assert "malformed" in await refused(shell, f"import {file}", capsys)


async def test_what_apps_tell_cannot_command_the_terminal(shell: Shell, capsys: Printed) -> None:
    """What would turn the text around, say, is shown as an escape; control characters no model takes."""
    definition = ComponentDefinition(name="evil", description="a\u202eb")
    await shell.send(MakeComponent(id="evil", context=[], component=definition))
    await shell.client.tell(shell.user, "evil", "a\u202eb", comment="a\u202eb")
    shown = await printed(shell, "ls; ls evil; ask evil --explain", capsys)
    assert all(char.isprintable() or char == "\n" for char in shown)
    assert "a\\u202eb" in shown


async def test_showperm_lists_all_rights_of_an_app(shell: Shell, capsys: Printed) -> None:
    """Wherever they are, from wherever one is; with a path, what bears on that path."""
    await printed(shell, "app add asker x; setperm asker / --ask; setperm asker Personal/lastname --no-ask", capsys)
    shown = await printed(shell, "cd Goals; showperm asker", capsys)
    assert re.search(r"^asker +/ +ask +-$", shown, re.MULTILINE)
    assert re.search(r"^asker +/Personal/lastname +- +ask$", shown, re.MULTILINE)
    assert "lastname" not in await printed(shell, "showperm asker /Goals", capsys)
    assert await printed(shell, "app add new x; showperm new", capsys) == (
        f"new is an app of {shell.user} now\nnothing is set for new\n"
    )


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("ls Persnoal", "Did you mean Personal/? At / there are: "),
        ("ask Personal/fristname", "Did you mean firstname? At /Personal there are: firstname, lastname, "),
        ("tell Personal/fristname x", "Did you mean firstname? At /Personal there are: firstname, lastname, "),
        ("cd Goals/Helth", "Did you mean Health/? At /Goals there are: "),
        ("ask Personal/firstname --resolver most_frequnt", "Did you mean most_frequent? The resolvers are: "),
        ("lss", "Did you mean ls?"),
    ],
)
async def test_what_was_perhaps_meant(shell: Shell, capsys: Printed, line: str, hint: str) -> None:
    """Beside what there is, so that one need not look for it."""
    assert hint in await refused(shell, line, capsys)


async def test_names_that_look_alike_are_pointed_out(shell: Shell, capsys: Printed) -> None:
    """Both to whoever looks into the context, and to whoever lists the apps."""
    for name in ("paypal", "\u0440aypal"):
        await shell.send(
            MakeComponent(id=f"make-{len(name.encode())}", context=["Goals"], component=ComponentDefinition(name=name))
        )
        await printed(shell, f"app add {name} x", capsys)
    warning = "look twice: paypal, \u0440aypal are 2 names"
    assert warning in await printed(shell, "ls Goals", capsys)
    assert warning in await printed(shell, "listapps", capsys)
    assert "look twice" not in await printed(shell, "ls Personal", capsys)


async def test_help(shell: Shell, capsys: Printed) -> None:
    """help lists every command in a screen's width, and shows how each is used."""
    shown = await printed(shell, "help", capsys)
    assert all(f"  {name} " in shown for name in TABLE.commands)
    assert max(map(len, shown.splitlines())) <= 80
    assert "..." not in shown, "a first sentence is short enough to be shown whole"
    assert await printed(shell, "help rmdir", capsys) == await printed(shell, "delcontext --help", capsys)


@pytest.mark.parametrize("name", TABLE.by_any_name)
async def test_every_command_has_an_example(shell: Shell, name: str, capsys: Printed) -> None:
    """The example is shown by help and can be typed as it is."""
    command = TABLE.by_any_name[name]
    assert command.example in await printed(shell, f"help {name}", capsys)
    (words,) = lines.split(command.example)
    assert TABLE.by_any_name[words[0]] is command
    assert isinstance(command.make_context(words[0], words[1:], obj=shell), click.Context)


ORIGINALS = (
    "ls tell cd export import setgoals app setperm showperm subscribe delsub mkcomponent delcomponent mkcontext"
    " listapps delapp do quit help"
)


@pytest.mark.parametrize("original", ORIGINALS.split())
def test_the_originals_commands_are_there(original: str) -> None:
    """Who knows the original browser finds its commands under their names."""
    assert original in TABLE.by_any_name
