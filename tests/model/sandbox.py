"""A sandbox in which whatever the model runs may neither see a clock nor chance, nor reach outside, nor start a thread.

It bites by who calls: a forbidden function raises if any caller of it is code of `model` or `schemas`, however far up,
and does its work for all others. So the tests and Hypothesis have their clocks and dice while the model has none.
IO is caught by Python's audit events, which no C function gets around. Clocks, dice and threads have no such events:
their functions are replaced where they are defined and in every module of the model that has imported them.
"""

import _thread
import datetime
import functools
import os
import random
import secrets
import sys
import threading
import time
import types
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest

PURE: Final = ("model.", "schemas.")

FORBIDDEN: Final = (
    (time, ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "process_time",
            "thread_time", "localtime", "gmtime", "ctime", "sleep")),
    (random, ("random", "uniform", "randint", "randrange", "choice", "choices", "sample", "shuffle", "gauss",
              "getrandbits", "randbytes", "seed", "Random", "SystemRandom")),
    (secrets, ("token_bytes", "token_hex", "token_urlsafe", "randbelow", "choice", "randbits")),
    (uuid, ("uuid1", "uuid4")),
    (os, ("urandom", "getrandom", "getenv", "getpid")),
    (threading.Thread, ("start",)),
    (_thread, ("start_new_thread",)),
)  # fmt: skip

REACHING_OUT: Final = ("open", "os.", "socket.", "subprocess.", "sqlite3.", "shutil.", "tempfile.", "time.sleep",
                       "_thread.", "ctypes.", "urllib.")  # fmt: skip
"""Beginnings of the names of audit events."""


class Impure(BaseException):
    """The model has done what it must not. No `except Exception` of the model swallows this."""


@contextmanager
def sandbox() -> Iterator[None]:
    """Forbid the model all that is not determined by what it is given, as long as the block lasts."""
    _audit()
    with pytest.MonkeyPatch.context() as patch:
        stand_ins: dict[int, Any] = {id(datetime.datetime): _Datetime, id(datetime.date): _Date}
        for module, names in FORBIDDEN:
            for name in names:
                original = getattr(module, name)
                stand_ins[id(original)] = forbidden(original, f"{module.__name__}.{name}")
                patch.setattr(module, name, stand_ins[id(original)])
        for module in _pure_modules():
            for name, value in list(vars(module).items()):
                if id(value) in stand_ins:
                    patch.setattr(module, name, stand_ins[id(value)])
                elif value is datetime:
                    patch.setattr(module, name, _DATETIME)
        patch.setattr(_State, "on", _State.on + 1)
        yield


def forbidden(original: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Give a function that does what the original does, except for the model."""

    @functools.wraps(original, updated=())
    def stand_in(*args: Any, **named: Any) -> Any:
        _refuse_model(name)
        return original(*args, **named)

    return stand_in


class _State:
    on = 0
    """How many sandboxes there are around what runs."""

    audited = False


def _audit() -> None:
    """Add the hook once: Python can't remove one."""
    if not _State.audited:
        _State.audited = True
        sys.addaudithook(_heed)


def _heed(event: str, _arguments: tuple[Any, ...]) -> None:
    if _State.on and event.startswith(REACHING_OUT):
        _refuse_model(event)


def _refuse_model(what: str) -> None:
    """Raise if the model is among the callers. An import reads a file, and decides nothing."""
    frame: types.FrameType | None = sys._getframe(1)
    while frame is not None:
        caller = str(frame.f_globals.get("__name__", ""))
        if caller == "importlib._bootstrap":
            return
        if caller.startswith(PURE):
            raise Impure(f"{caller} called {what}")
        frame = frame.f_back


def _pure_modules() -> list[types.ModuleType]:
    return [module for name, module in list(sys.modules.items()) if name.startswith(PURE)]


class _Datetime(datetime.datetime):
    """Has no present."""

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Any:
        raise Impure("the model asked what time it is")

    utcnow = today = now


class _Date(datetime.date):
    """Has no present."""

    @classmethod
    def today(cls) -> Any:
        raise Impure("the model asked what day it is")


_DATETIME: Final = types.SimpleNamespace(**{**vars(datetime), "datetime": _Datetime, "date": _Date})
