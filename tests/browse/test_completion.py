"""What Tab offers."""

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from llum.cli.browse.completion import Names
from llum.cli.browse.shell import Shell


async def offered(shell: Shell, line: str) -> list[str]:
    """Give the lines that Tab could make of this one."""
    completions = [one async for one in Names(shell).get_completions_async(Document(line), CompleteEvent())]
    return [line[: len(line) + one.start_position] + one.text for one in completions]


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("mkcomp", ["mkcomponent"]),
        ("cd Per", ["cd Personal/"]),
        ("ls Personal/f", ["ls Personal/firstname", "ls Personal/fullname"]),
        ("cd Personal; tell /Personal/fi", ["cd Personal; tell /Personal/firstname"]),
        ("cd Personal/f", []),
        ("ask Personal/firstname --resolver mo", ["ask Personal/firstname --resolver most_frequent"]),
        ("setresolver Personal/firstname most_f", ["setresolver Personal/firstname most_frequent"]),
        ("mkcomponent x --value-type bo", ["mkcomponent x --value-type boolean"]),
        ("tell Personal/firstname Al --com", ["tell Personal/firstname Al --comment"]),
        ("showperm ll", ["showperm llum"]),
        ("help setp", ["help setperm"]),
        ("ls 'Deep", ["ls 'Deep thought/'"]),
        ("ls Deep", ["ls 'Deep thought/'"]),
        ("mkview v Personal/firstname Personal/la", ["mkview v Personal/firstname Personal/lastname"]),
        ("ls Nowhere/x", []),
        ("nonsense Per", []),
    ],
)
async def test_words_are_completed(shell: Shell, typed: str, completed: list[str]) -> None:
    """Commands, paths of the right kind, resolvers, apps, choices and options; names with spaces are quoted."""
    await shell.run_line("mkcontext 'Deep thought' why")
    assert await offered(shell, typed) == completed


async def test_paths_are_completed_from_where_one_is(shell: Shell) -> None:
    """A relative path begins in the context that one is in."""
    await shell.run_line("cd Personal")
    assert await offered(shell, "ask fir") == ["ask firstname"]
    assert await offered(shell, "cd ../Go") == ["cd ../Goals/"]
