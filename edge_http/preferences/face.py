"""What all requests to the preferences service share: the ontologies, who is let in, and answers made lately."""

import functools
import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import msgspec
from aiohttp import web

from edge_http.http.responses import BODY_END
from schemas.codec import decode_reply
from schemas.errors import raised_from
from schemas.preferences import PreferencesReply
from schemas.recent import Recent
from schemas.replies import Failed

if TYPE_CHECKING:
    from model.preferences.installed import InstalledOntologies
    from model.preferences.ontologies import Ontologies

Openness = Literal["closed", "here", "anywhere"]
"""Whether requests without a token are answered: none, those of this machine, or all."""

REMEMBERED: Final = 512
"""Answers that are remembered."""

MAX_REMEMBERED_BYTES: Final = 16 * 1024
"""Bytes of a reply whose answer is remembered: all together take at most 16 MiB or so."""


class SetAnswer(NamedTuple):
    """The body of an answer, and its tag."""

    body: bytes
    etag: str


def without_ontologies() -> "InstalledOntologies":
    """Know no ontology: each view is by itself, and all its terms are taken."""
    from model.preferences.codex import Codex
    from model.preferences.installed import InstalledOntologies
    from model.preferences.ontologies import Ontologies

    return InstalledOntologies(Ontologies(()), Codex({}))


class PreferencesFace:
    """Knows how the service answers here."""

    def __init__(
        self, installed: "Callable[[], InstalledOntologies]" = without_ontologies, openness: Openness = "closed"
    ) -> None:
        """`installed` is called once, with the first request that needs it."""
        self._load = installed
        self.openness = openness
        self._answers: Recent[tuple[bytes, str], SetAnswer] = Recent(REMEMBERED)

    @functools.cached_property
    def installed(self) -> "InstalledOntologies":
        return self._load()

    def prepare(self) -> None:
        """Read the data files now. Raises what that raises."""
        assert self.installed

    def answer(self, reply: bytes, view: str) -> SetAnswer:
        """Make the answer of a worker's reply, or raise its error.

        Equal replies have equal answers, so one that was made before is given again: there is nothing to go stale.
        """
        made = self._answers.get((reply, view))
        if made is None:
            made = _encoded(one_set(self.installed.ontologies, reply, view))
            if len(reply) <= MAX_REMEMBERED_BYTES:
                self._answers[reply, view] = made
        return made


PREFERENCES: Final = web.AppKey("preferences", PreferencesFace)


def one_set(ontologies: "Ontologies", reply: bytes, view: str) -> dict[str, object]:
    """Bring what all views hold into one."""
    decoded = decode_reply(reply)
    if isinstance(decoded, Failed):
        raise raised_from(decoded.error)
    assert isinstance(decoded, PreferencesReply), "each query is answered by its own reply"
    return ontologies.one_set(decoded.sets, view)


def _encoded(value: object) -> SetAnswer:
    body = msgspec.json.encode(value) + BODY_END
    return SetAnswer(body, f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"')
