"""What may come on the wire has bounds, whichever way it comes, and each bound says what it is."""

import pytest

from schemas.codec import decode_command
from schemas.errors import Code, Refusal
from schemas.limits import MAX_PATH_SEGMENTS, MAX_SEGMENT_CHARACTERS
from schemas.paths import check_path


def test_30_a_name_has_a_limit_with_a_clear_error() -> None:
    """One character more is too many."""
    check_path(["n" * MAX_SEGMENT_CHARACTERS], "context")
    with pytest.raises(Refusal, match=f"at most {MAX_SEGMENT_CHARACTERS}") as caught:
        check_path(["n", "n" * (MAX_SEGMENT_CHARACTERS + 1)], "context")
    assert (caught.value.code, caught.value.error.field) == (Code.BAD_PATH, "context[1]")


def test_30_a_path_has_a_limit_with_a_clear_error() -> None:
    """One name more is too many."""
    check_path(["n"] * MAX_PATH_SEGMENTS, "context")
    with pytest.raises(Refusal, match=f"at most {MAX_PATH_SEGMENTS}") as caught:
        check_path(["n"] * (MAX_PATH_SEGMENTS + 1), "context")
    assert caught.value.code is Code.BAD_PATH


def test_30_json_has_a_limit_of_its_depth_with_a_clear_error() -> None:
    """No message makes a process that reads it fail, however deep it is. Values have a closer limit."""
    deep = "[" * 100_000 + "]" * 100_000
    head = '{"v": 1, "verb": "tell", "id": "1", "context": ["c"], "component": "x", "evidence": {"value": '
    with pytest.raises(Refusal, match="nested too deeply") as caught:
        decode_command(f"{head}{deep}}}}}".encode(), "tell")
    assert caught.value.code is Code.TOO_DEEP
