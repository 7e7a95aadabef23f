"""Files of documents: read whole and checked whole, since nothing is stored as long as there is a mistake."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from llum.failures import Fault
from model.preferences.documents import Document, Mistake, read_documents, unlike
from schemas.decoding import UNDECODABLE

MISTAKES_SHOWN: Final = 20


def read_files(paths: Sequence[Path]) -> list[Document]:
    """Give the documents of all files, each once. Raises a `Fault` that says what is wrong with which."""
    found = [one for path in paths for one in read_documents(str(path), _content(path))]
    documents, mistakes = unlike(good(found))
    raise_for(mistakes)
    return documents


def good(found: Iterable[Document | Mistake]) -> list[Document]:
    """Give the documents, or raise a `Fault` if there are mistakes among them."""
    documents = []
    mistakes = []
    for one in found:
        if isinstance(one, Document):
            documents.append(one)
        else:
            mistakes.append(one)
    raise_for(mistakes)
    return documents


def raise_for(mistakes: Sequence[Mistake]) -> None:
    """Raise a `Fault` that tells of the first mistakes, if there are any."""
    if mistakes:
        count = f"{len(mistakes):,} mistakes" if len(mistakes) > 1 else "a mistake"
        raise Fault(f"{count} in the documents; nothing is loaded", None, list(_shown(mistakes)))


def _shown(mistakes: Sequence[Mistake]) -> Iterator[str]:
    yield from map(str, mistakes[:MISTAKES_SHOWN])
    if len(mistakes) > MISTAKES_SHOWN:
        yield f"and {len(mistakes) - MISTAKES_SHOWN:,} more"


def _content(path: Path) -> Any:
    """Read the JSON of a file."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Fault(f"cannot read {path}: {error.strerror or error}") from error
    try:
        return msgspec.json.decode(data)
    except UNDECODABLE as error:
        raise Fault(f"{path}{_position(data)} is not JSON: {error}") from error


def _position(data: bytes) -> str:
    """Say where a text is no JSON, if it can be said."""
    try:
        json.loads(data)
    except json.JSONDecodeError as error:
        return f":{error.lineno}:{error.colno}"
    except (ValueError, RecursionError):
        pass
    return ""
