"""Errors in the form that the original's clients can take.

They read `val` as class name, a dictionary, and a pickle of the exception. With three items they unpickle the last one
and raise what it makes, and the umbrowser lives on only if that is a `ValueError`; with any other number of items it
ends. So there are three, and the third is one fixed text for each error code: nothing that somebody sends is in it.
Programs that can do better read the `error` object beside `val`.
"""

import pickle
from typing import Final

import msgspec

from schemas.errors import Code

_KIND: Final = ValueError


def _val_of(code: Code) -> msgspec.Raw:
    # Protocol 0 is ASCII, and names the class as Python 2 does.
    exception = pickle.dumps(_KIND(f"{code.value}: {code.description}"), protocol=0)
    return msgspec.Raw(msgspec.json.encode([_KIND.__name__, {}, exception.decode("ascii")]))


VAL_OF: Final = {code: _val_of(code) for code in Code}
"""The `val` of an error answer, encoded."""
