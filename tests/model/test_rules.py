"""The rule language: what is read, what is refused and where, what a rule decides.

The parser meets anything from any app, so it never raises anything but its refusal, and its time is linear. Time is
measured as instructions of the interpreter, which are the same on every machine.
"""

import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.rules.decide import Deciding, Notification, Telling, Wanted, check_rule, decide, format_rule, parse_rule
from model.rules.statement import MAX_RULE_CHARACTERS, NotifyAction, PathText, Reference, Rule, TellAction, Text
from schemas.errors import Code, Refusal
from tests.effort import EFFORT

NAME = Reference(PathText(("./Personal/firstname",)), "default")
LIGHT = PathText(("./rooms/", Reference(PathText(("./a/b",))), "/light"))


def refusal_of(statement: str) -> Refusal:
    with pytest.raises(Refusal) as caught:
        check_rule(statement)
    assert caught.value.code is Code.BAD_RULE
    return caught.value


def read(statement: str) -> Rule | Refusal:
    try:
        return parse_rule(statement)
    except Refusal as refusal:
        return refusal


def run(deciding: Deciding, values: Mapping[Wanted, Any]) -> tuple[list[object], list[tuple[Wanted, ...]]]:
    """Drive a decision; give its effects and what it asked for, step by step."""
    asked: list[tuple[Wanted, ...]] = []
    try:
        wanted = next(deciding)
        while True:
            asked.append(wanted)
            wanted = deciding.send([values[one] for one in wanted])
    except StopIteration as stop:
        return stop.value, asked


def decided(statement: str, **values: Any) -> list[object]:
    """Decide with the values of components of the context `c` of the rule's own model."""
    return run(decide(parse_rule(statement)), {Wanted(".", ("c", name)): value for name, value in values.items()})[0]


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        (
            "<default!./Personal/firstname> ~ '.*' : NOTIFY 'http://a/?' <default!./Personal/firstname>",
            Rule(NAME, Text(".*"), NotifyAction((Text("http://a/?"), NAME))),
        ),
        (
            '["*/5 * * * *"] "a"~"b":TELL ./c/d,explicit:<<bobphone/seenby>/location>',
            Rule(
                Text("a"),
                Text("b"),
                TellAction(
                    PathText(("./c/d",)),
                    "explicit",
                    Reference(PathText((Reference(PathText(("bobphone/seenby",))), "/location"))),
                ),
                "*/5 * * * *",
            ),
        ),
        (
            "'0 9 * * mon' 'a' ~ 'a' : tellchanged ./rooms/<./a/b>/light, inferred:'on'",
            Rule(
                Text("a"),
                Text("a"),
                TellAction(LIGHT, "inferred", Text("on"), True),
                "0 9 * * mon",
            ),
        ),
        (
            "[0 9 * * mon] 'a' ~ 'a' : NOTIFY POST <./a/hook>",
            Rule(Text("a"), Text("a"), NotifyAction((Reference(PathText(("./a/hook",))),), "POST"), "0 9 * * mon"),
        ),
        (
            "'a' ~ 'a' : NOTIFY <./a> <./b>/c ./d<./e> ./f",
            Rule(
                Text("a"),
                Text("a"),
                NotifyAction(
                    (
                        Reference(PathText(("./a",))),
                        PathText((Reference(PathText(("./b",))), "/c")),
                        PathText(("./d", Reference(PathText(("./e",))))),
                        PathText(("./f",)),
                    )
                ),
            ),
        ),
    ],
)
def test_the_language_is_read(statement: str, rule: Rule) -> None:
    """Cron, strings in both quotes, paths, references, nesting, all three actions, in any spacing."""
    assert parse_rule(statement) == rule


@pytest.mark.parametrize(
    ("written", "text"),
    [(r"'\d+'", r"\d+"), (r"'\\'", "\\"), (r"'it\'s'", "it's"), (r'"\""', '"'), (r"'\\.'", r"\."), ('"a\nb"', "a\nb")],
)
def test_backslashes_of_regular_expressions_stay(written: str, text: str) -> None:
    """A backslash takes a quote or backslash after it as it is, and stands for itself otherwise."""
    assert parse_rule(f"{written} ~ 'a' : NOTIFY 'b'").left == Text(text)


def test_names_with_odd_characters_are_quoted() -> None:
    """Between the brackets a name may hold spaces and colons; one with brackets or a slash stands in quotes."""
    rule = parse_rule("""<./first room/x:1/"a/<b>"> ~ '' : NOTIFY 'b'""")
    assert rule.left == Reference(PathText(("./first room/x:1/a~1<b>",)))


@pytest.mark.parametrize(
    ("statement", "field", "expectation"),
    [
        ("", "statement:1:1", "a quoted string"),
        ("<./a> 'x' : NOTIFY 'b'", "statement:1:7", "expected ~"),
        ("<./a> ~ 'x'\n  TELL ./a, explicit:'b'", "statement:2:3", "expected :"),
        ("<./a> ~ 'x' : SHOUT 'b'", "statement:1:15", "NOTIFY or TELL or TELLCHANGED"),
        ("<./a> ~ 'x' : TELL ./a, certain:'b'", "statement:1:25", "expected explicit or implicit"),
        ("<./a> ~ 'x' : TELL ./a 'b'", "statement:1:24", "expected ,"),
        ("<./a> ~ 'x' : NOTIFY", "statement:1:21", "something is missing at the end"),
        ("<./a> ~ '*' : NOTIFY 'b'", "statement:1:9", "regular expression"),
        ("<./a> ~ '(?=a)' : NOTIFY 'b'", "statement:1:9", "regular expression"),
        ("<Personal/a> ~ 'x' : NOTIFY 'b'", "statement:1:1", "./Personal/"),
        ("<./../a> ~ 'x' : NOTIFY 'b'", "statement:1:1", "'..' cannot be a name"),
        ("<.> ~ 'x' : NOTIFY 'b'", "statement:1:1", "model/context/component"),
        ("'a' ~ 'x' : TELL PathText, explicit:'b'", "statement:1:18", "'PathText' is no model"),
        ("['0 25 * * *'] 'a' ~ 'x' : NOTIFY 'b'", "statement:1:5", "expected an hour from 0 to 23"),
        ("['0 0 31 feb *'] 'a' ~ 'x' : NOTIFY 'b'", "statement:1:7", "no such day"),
        ("['0 0 1 *'] 'a' ~ 'x' : NOTIFY 'b'", "statement:1:9", "five fields"),
        ("<" * 9 + "./a" + ">" * 9 + " ~ '' : NOTIFY 'b'", "statement:1:1", "nested"),
        ("'a' ~ 'x' : NOTIFY " + "<./a>" * 70, "statement:1:1", "at most 64 references"),
        ("'" + "a" * MAX_RULE_CHARACTERS + "' ~ 'x' : NOTIFY 'b'", "statement:1:1", "at most 4096 characters"),
    ],
)
def test_a_wrong_rule_is_refused_where_it_is_wrong(statement: str, field: str, expectation: str) -> None:
    """The refusal gives line and column and says what was expected there."""
    refusal = refusal_of(statement)
    assert refusal.error.field == field
    assert expectation in refusal.error.message


def test_a_tell_takes_the_type_of_the_value() -> None:
    """A reference keeps the type of its value, a bare number or boolean is one, a quoted string is text."""
    assert decided("'' ~ '' : TELL ./c/x, implicit:<./c/a>", a=[1]) == [Telling(".", ("c", "x"), "implicit", [1])]
    assert decided("'' ~ '' : TELL ./c/x, explicit:-1.5") == [Telling(".", ("c", "x"), "explicit", -1.5)]
    assert decided("'' ~ '' : TELL ./c/x, explicit:true") == [Telling(".", ("c", "x"), "explicit", True)]
    assert decided("'' ~ '' : TELL ./c/x, explicit:'5'") == [Telling(".", ("c", "x"), "explicit", "5")]


def test_the_right_side_matches_at_the_start() -> None:
    """As in the original: a regular expression, at the start of the left, not necessarily all of it."""
    assert decided("<./c/a> ~ 'al' : NOTIFY 'b'", a="alice") == [Notification("GET", "b", "alice")]
    assert decided("<./c/a> ~ 'lice' : NOTIFY 'b'", a="alice") == []
    assert decided("<./c/a> ~ '2.' : NOTIFY 'b'", a=21) == [Notification("GET", "b", "21")]
    assert decided("<./c/a> ~ '$' : NOTIFY 'b'", a=None) == [Notification("GET", "b", "")]


def test_tellchanged_tells_only_what_is_new() -> None:
    """Compared with the resolved value as JSON: 1 is 1.0 and not true. A text is what it would become when told."""
    statement = "'' ~ '' : TELLCHANGED ./c/x, explicit:<./c/a>"
    assert decided(statement, x="on", a="on") == []
    assert decided(statement, x=1.0, a=1) == []
    assert decided(statement, x=True, a=1) == [Telling(".", ("c", "x"), "explicit", 1)]
    assert decided(statement, x=82, a="82") == []
    assert decided(statement, x="True", a=True) == []
    assert decided(statement, x="", a=None) == []
    assert decided(statement, x=82, a="83") == [Telling(".", ("c", "x"), "explicit", "83")]
    assert decided(statement, x=None, a="on") == [Telling(".", ("c", "x"), "explicit", "on")]


def test_nested_values_are_names() -> None:
    """A value inside a path is one name, whatever it holds: it cannot lead to another place or person."""
    rule = parse_rule("<./rooms/<./c/a>/light> ~ '' : TELL ./rooms/<./c/a>/lit, explicit:'yes'")
    inner, room = Wanted(".", ("c", "a")), "../bob/secrets"
    effects, asked = run(decide(rule), {inner: room, Wanted(".", ("rooms", room, "light")): 1})
    assert asked == [(inner,), (Wanted(".", ("rooms", room, "light")),), (inner,)]
    assert effects == [Telling(".", ("rooms", room, "lit"), "explicit", "yes")]


def test_a_value_may_name_the_model() -> None:
    """As in `<<bobphone/seenby>/location>`: the sensor that has seen the phone has a model of its own."""
    rule = parse_rule("<<bobphone/seenby>/location> ~ '' : NOTIFY 'b'")
    values = {Wanted("bobphone", ("seenby",)): "g61a", Wanted("g61a", ("location",)): "room 3"}
    assert run(decide(rule), values)[0] == [Notification("GET", "b", "room 3")]


def test_a_rule_that_does_not_match_asks_for_nothing_more() -> None:
    """The values of the action are asked for only when there is one."""
    rule = parse_rule("<./c/a> ~ 'x' : TELL ./c/b, explicit:<./c/d>")
    assert run(decide(rule), {Wanted(".", ("c", "a")): "y"}) == ([], [(Wanted(".", ("c", "a")),)])


def test_the_notified_url_is_the_concatenation() -> None:
    """Values in it are escaped, unless the URL starts with one; so data cannot change where it leads."""
    statement = "'' ~ '' : NOTIFY <./c/hook> '?place=' <./c/a> '&x=1'"
    assert decided(statement, hook="https://a.example/x y", a="../ä&b\r\n") == [
        Notification("GET", "https://a.example/x y?place=..%2F%C3%A4%26b%0D%0A&x=1", "")
    ]


@pytest.mark.parametrize(
    ("statement", "values", "code"),
    [
        ("'a' ~ <./c/a> : NOTIFY 'b'", {"a": "("}, Code.BAD_RULE),
        ("<./<./c/a>/b> ~ '' : NOTIFY 'b'", {"a": None}, Code.BAD_PATH),
        ("<./<./c/a>/b> ~ '' : NOTIFY 'b'", {"a": ".."}, Code.BAD_PATH),
        ("'' ~ '' : TELL <./c/a>, explicit:'b'", {"a": "nowhere"}, Code.BAD_PATH),
        ("'' ~ '' : NOTIFY <./c/a>", {"a": "x" * 9000}, Code.TOO_LARGE),
    ],
)
def test_what_only_the_values_show_fails_when_it_fires(statement: str, values: dict[str, Any], code: Code) -> None:
    """A rule that its values make impossible raises a refusal, and nothing else."""
    with pytest.raises(Refusal) as caught:
        decided(statement, **values)
    assert caught.value.code is code


texts = st.text(st.sampled_from("ab.*/~01<>\"'\\ :,![]é\n"), max_size=8)
words = st.text("abcXYZ019._-", min_size=1, max_size=6).filter(lambda word: word not in (".", ".."))
names = st.text(st.sampled_from("ab/~01<>\"' :!é"), min_size=1, max_size=6)


def quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def references(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pieces = st.one_of(words, names.map(quoted), inner)
    resolvers = st.sampled_from(["", "default!", "half-life(3)!"])
    return st.builds(lambda resolver, rest: f"<{resolver}./{'/'.join(rest)}>", resolvers, st.lists(pieces, min_size=1))


reference = st.recursive(st.just("<./a>"), references, max_leaves=4)
path = st.builds(lambda start, inner, end: f"./{start}/{inner}{end}", words, st.one_of(words, reference), words)
item = st.one_of(texts.map(quoted), path, reference)
action = st.one_of(
    st.builds(
        lambda verb, to, value: f"{verb} {to}, explicit:{value}", st.sampled_from(["TELL", "TELLCHANGED"]), path, item
    ),
    st.builds(
        lambda how, items: f"NOTIFY {how} {' '.join(items)}", st.sampled_from(["", "POST"]), st.lists(item, min_size=1)
    ),
)
statements = st.builds("{}{} ~ {} : {}".format, st.sampled_from(["", '["1 2 * * *"] ']), item, item, action)


@given(statements)
@settings(max_examples=300 * EFFORT)
def test_writing_and_reading_a_rule_gives_the_same_rule(statement: str) -> None:
    """`format_rule` writes what `parse_rule` reads back; what cannot be is refused in the same words as ever."""
    rule = read(statement)
    if isinstance(rule, Refusal):
        assert rule.code is Code.BAD_RULE
        return
    assert parse_rule(format_rule(rule)) == rule


tokens = st.sampled_from(
    ["<", ">", "~", ":", ",", "'", '"', "[", "]", "\\", "/", "./a", "!", " ", "\n", "TELL ", "TELLCHANGED", "NOTIFY",
     "POST", "explicit", "* * * * *", "(", "é", "\x00", "\ud800", "a" * 50, "<./a>", "'x'"]
)  # fmt: skip


@given(st.one_of(st.text(max_size=60), st.lists(tokens, max_size=40).map("".join)))
@settings(max_examples=500 * EFFORT)
def test_the_parser_raises_nothing_but_its_refusal(statement: str) -> None:
    """Whatever the text: a rule, or `bad_rule` with a position."""
    rule = read(statement)
    assert isinstance(rule, Rule) or (rule.code is Code.BAD_RULE and str(rule.error.field).startswith("statement:"))


def steps_of(run: Callable[[], object]) -> int:
    """Count the lines that Python runs."""
    count = 0

    def trace(*_: object) -> Any:
        nonlocal count
        count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize(
    "grown",
    [
        lambda n: "<" * n,
        lambda n: "'a' ~ 'b' : NOTIFY " + "'c' " * n,
        lambda n: "'a' ~ 'b' : NOTIFY " + "./a<./b>" * (n // 4),
        lambda n: "'" + "\\" * n,
        lambda n: '["' + "1," * n + "1 * * * *\"] 'a' ~ 'b' : NOTIFY 'c'",
        lambda n: "<./" + "a/" * n + "> ~ 'b' : NOTIFY 'c'",
        lambda n: "<./" + " a!" * n + "> ~ 'b' : NOTIFY 'c'",
        lambda n: "'a' ~ 'b' : TELL ./a, " + "e" * n,
    ],
)
def test_the_parser_takes_time_linear_in_the_text(grown: Callable[[int], str]) -> None:
    """Four times the text costs at most about four times the steps (regular expressions of tokens apart)."""

    def parse(n: int) -> Callable[[], None]:
        def run() -> None:
            with suppress(Refusal):
                parse_rule(grown(n))

        return run

    parse_rule("'a' ~ 'b' : NOTIFY 'c'")
    small, large = (steps_of(parse(n)) for n in (240, 960))
    assert large < 5 * small
