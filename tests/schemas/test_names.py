"""Names have one spelling, and nothing in them that cannot be seen."""

import msgspec
import pytest
import unicodedata2
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import decode_command, decode_query
from schemas.commands import MakeComponent, MakeView, SetPermission, Tell
from schemas.definitions import ComponentDefinition, ViewDefinition
from schemas.errors import Code, Refusal
from schemas.evidence import NewEvidence
from schemas.names import UNICODE_VERSION, check_seen, normal_name
from schemas.paths import check_path, check_segment, parse_path
from schemas.queries import Ask

DECOMPOSED, COMPOSED = "cafe\u0301", "caf\u00e9"

UNSEEN = {
    " padded": "begins with U+0020 SPACE",
    "padded\u00a0": "ends with U+00A0 NO-BREAK SPACE",
    "\u3000": "begins with U+3000 IDEOGRAPHIC SPACE",
    "pay\u200bpal": "holds U+200B ZERO WIDTH SPACE",
    "pay\u200cpal": "holds U+200C ZERO WIDTH NON-JOINER",
    "pay\u200dpal": "holds U+200D ZERO WIDTH JOINER",
    "\ufeffpaypal": "holds U+FEFF ZERO WIDTH NO-BREAK SPACE",
    "pay\u00adpal": "holds U+00AD SOFT HYPHEN",
    "\u202elapyap": "holds U+202E RIGHT-TO-LEFT OVERRIDE",
    "pay\u2066pal": "holds U+2066 LEFT-TO-RIGHT ISOLATE",
    "pay\u061cpal": "holds U+061C ARABIC LETTER MARK",
    "paypal\ufe0f": "holds U+FE0F VARIATION SELECTOR-16",
    "paypal\U000e0061": "holds U+E0061 TAG LATIN SMALL LETTER A",
    "pay\u3164pal": "holds U+3164 HANGUL FILLER",
    "pay\u034fpal": "holds U+034F COMBINING GRAPHEME JOINER",
    "\U0001f469\u200d": "holds U+200D ZERO WIDTH JOINER",
}

SEEN = {
    "spaces inside": "busy right now",
    "another script": "名前",
    "right to left": "اسم",
    "a joined emoji": "\U0001f469\u200d\U0001f680",
    "with a skin tone": "\U0001f469\U0001f3fd\u200d\U0001f91d\u200d\U0001f468\U0001f3fb",
    "with a style": "\u2764\ufe0f\u200d\U0001f525",
    "with an arrow": "\U0001f642\u200d\u2194\ufe0f",
    "a keycap": "1\ufe0f\u20e3",
    "a flag by tags": "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "a number's sign": "\u0600\u0661",
    "marks without a composed form": "x\u0301",
    "a URL": "http://registry.gpii.net/common/fontSize",
}


@pytest.mark.parametrize(("name", "why"), UNSEEN.items(), ids=map(ascii, UNSEEN))
def test_what_cannot_be_seen_is_refused(name: str, why: str) -> None:
    """With its code point and its name, so that somebody who cannot see it knows what to look for."""
    with pytest.raises(Refusal) as caught:
        check_path(["Personal", name], "context")
    assert (caught.value.code, caught.value.error.field) == (Code.BAD_PATH, "context[1]")
    assert why in caught.value.error.message


@pytest.mark.parametrize("name", SEEN.values(), ids=SEEN)
def test_what_can_be_seen_is_a_name(name: str) -> None:
    """Of any language, and emoji with what holds them together."""
    assert check_segment(name, "name") == name


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=8))
def test_a_name_has_one_spelling(name: str) -> None:
    """However it is composed it is the same name; and to normalise twice changes nothing more."""
    spelled = {normal_name(unicodedata2.normalize(form, name)) for form in ("NFC", "NFD")}
    assert spelled == {normal_name(normal_name(name))}


def test_the_version_of_unicode_is_the_library_s() -> None:
    """It is recorded with each shard: another one may read the names of a log in another way."""
    assert unicodedata2.unidata_version.split(".")[0] == str(UNICODE_VERSION)


def test_all_names_of_a_command_are_normalised() -> None:
    """Of contexts, components, views, goals, paths, bindings; also where they are written in escapes."""
    made = MakeComponent(
        id="1", context=[DECOMPOSED], component=ComponentDefinition(name=DECOMPOSED, goals=[[DECOMPOSED]])
    )
    view = MakeView(
        id="2", context=[], view=ViewDefinition(name=DECOMPOSED, components=[DECOMPOSED, ["a", DECOMPOSED]])
    )
    granted = SetPermission(id="3", app="app", context=[DECOMPOSED], component=DECOMPOSED, bind_view=DECOMPOSED)
    for command, verb in ((made, "make_component"), (view, "make_view"), (granted, "set_permission")):
        plain = msgspec.json.encode(command)
        for data in (plain, plain.decode().encode("ascii", "backslashreplace")):
            seen = msgspec.json.encode(decode_command(data, verb)).decode()
            assert seen == plain.decode().replace(DECOMPOSED, COMPOSED)


def test_all_names_of_a_query_are_normalised() -> None:
    """So an app finds what another has spelled in another way."""
    query = Ask(context=[DECOMPOSED], view=[DECOMPOSED, ["a", DECOMPOSED]])
    assert decode_query(msgspec.json.encode(query), "ask") == Ask(context=[COMPOSED], view=[COMPOSED, ["a", COMPOSED]])


def test_a_value_stays_as_it_is_told() -> None:
    """It is the person's, and not a name."""
    told = Tell(id="1", context=["a"], component="b", evidence=NewEvidence(value=DECOMPOSED, comment=DECOMPOSED))
    assert decode_command(msgspec.json.encode(told), "tell") == told


def test_a_path_in_one_string_is_normalised() -> None:
    """Rules, the command line and files name things so."""
    assert parse_path(f"{DECOMPOSED}/x") == (COMPOSED, "x")


def test_a_refusal_names_the_code_that_it_is_given() -> None:
    """An app's name is no path."""
    with pytest.raises(Refusal) as caught:
        check_seen("my\u200bapp", Code.BAD_FIELD, "app")
    assert (caught.value.code, caught.value.error.field) == (Code.BAD_FIELD, "app")
