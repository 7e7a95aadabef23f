"""Values as `gsettings` writes them, and as it reads them."""

import pytest

from llum.preferences_targets import gvariant


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("false", False),
        ("uint32 500", 500),
        ("-5", -5),
        ("int64 9007199254740993", 9007199254740993),
        ("0.66000000000000003", 0.66),
        ("-0.5", -0.5),
        ("1e-05", 1e-05),
        ("'Cantarell 11'", "Cantarell 11"),
        ('"it\'s uint32 5"', "it's uint32 5"),
        (r"'a\\b\"c\n\u00e9\U0001f34e'", 'a\\b"c\né\U0001f34e'),
        ("'true'", "true"),
        ("''", ""),
        ("@as []", []),
        ("['a', \"it's @as b\"]", ["a", "it's @as b"]),
        ("[uint32 1, 2]", [1, 2]),
        ("[[true], [false]]", [[True], [False]]),
        ("nothing", None),
    ],
)
def test_values_that_json_has_are_read(text: str, value: object) -> None:
    """With the type that JSON gives them: what stands in a text is never taken for a word of the format."""
    read = gvariant.read(text)
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    "text",
    ["(1, 2)", "{'a': 1}", "@a{sv} {}", "b'bytes'", "inf", "nan", "1e999", "[(1, 2)]", "", "os.getcwd()", "[" * 5000],
)
def test_what_json_has_not_is_refused(text: str) -> None:
    """And nothing in it is run."""
    with pytest.raises(ValueError, match=r"written so|no such value|malformed"):
        gvariant.read(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (2.0, "2"), (1.25, "1.25"), ("it's", '"it\'s"'), (["a", "b"], '["a","b"]'), (-3, "-3")],
)
def test_values_are_written_so_that_any_type_of_number_takes_them(value: object, text: str) -> None:
    """A whole number has no point: `2` is a double where one is wanted, `2.0` would be no integer."""
    assert gvariant.written(value) == text
