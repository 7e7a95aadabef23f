"""One tree of errors: who catches `LlumError` catches them all, and each is one line with a stable code."""

import importlib
import pkgutil
import re
from collections.abc import Iterator

import pytest

from bus.errors import EmbeddedServerError, InstallationError, LogTruncatedError
from bus.jetstream import ApiError
from llum.failures import Fault
from schemas import errors
from schemas.errors import SETUP_CODES, TRANSIENT_CODES, Code, Error, LlumError, Refusal, SetupError, Transient
from sensors.errors import SensorError, SpoolFullError

PACKAGES = ("schemas", "model", "bus", "identity", "actors", "edge_http", "sensors", "llum")
"""All that a user installs, so that no error is found or missed by what other tests have imported."""

RUN_BY_IMPORT = re.compile(r"\.__main__$")

for package in PACKAGES:
    for found in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
        if not RUN_BY_IMPORT.search(found.name):
            importlib.import_module(found.name)

CODES = {
    EmbeddedServerError: Code.NATS_SERVER,
    InstallationError: Code.INSTALLATION,
    LogTruncatedError: Code.LOG_TRUNCATED,
    SensorError: Code.SENSOR,
    SpoolFullError: Code.SPOOL_FULL,
    Fault: Code.SETUP,
}


def below(kind: type[LlumError]) -> Iterator[type[LlumError]]:
    for each in kind.__subclasses__():
        if not (each.__module__.startswith("tests.") or each.__name__.startswith("_")):
            yield each
        yield from below(each)


@pytest.mark.parametrize("kind", list(below(LlumError)), ids=lambda kind: kind.__name__)
def test_every_error_is_drawn(kind: type[LlumError]) -> None:
    """The tree in the docstring of `schemas.errors` has all that are not private to a module."""
    assert re.search(rf"\b{kind.__name__}\b", errors.__doc__ or "")


@pytest.mark.parametrize(("kind", "code"), CODES.items())
def test_what_a_person_must_put_right_has_a_code(kind: type[SetupError], code: Code) -> None:
    """Each its own; the line for people is without it, as no program reads that."""
    error = kind("the folder is not writable.", "choose another folder")
    assert error.code is code
    assert code in SETUP_CODES
    assert str(error) == "the folder is not writable. choose another folder"
    assert (error.message, error.hint) == ("the folder is not writable.", "choose another folder")


def test_what_jetstream_refuses_may_succeed_later() -> None:
    """A caller sees `unavailable`; JetStream's own code tells them apart within the bus."""
    error = ApiError(10077, "maximum messages per subject exceeded")
    assert isinstance(error, Transient)
    assert (error.code, error.err_code) == (Code.UNAVAILABLE, 10077)
    assert str(error) == "unavailable: JetStream refused: maximum messages per subject exceeded (10077)"


def test_the_line_of_a_refusal_has_all_that_is_known() -> None:
    """Code, message, field and hint, on one line whatever they hold."""
    assert str(Refusal(Code.BAD_FIELD, "no\nnumber", "value", "use 1")) == "bad_field: no number (field value). use 1"
    assert str(Refusal(Code.NO_SUCH_MODEL, "there is none")) == "no_such_model: there is none"


@pytest.mark.parametrize("code", sorted(set(Code) - SETUP_CODES))
def test_an_error_from_the_wire_has_the_class_of_its_code(code: Code) -> None:
    """Transient or refused: the code alone says which."""
    error = errors.raised_from(Error(code, "why", None, "how"))
    assert isinstance(error, Transient if code in TRANSIENT_CODES else Refusal)
    assert (error.code, error.hint) == (code, "how")
