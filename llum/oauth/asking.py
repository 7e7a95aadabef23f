"""Asks the endpoints of an llum, and makes of what they refuse the errors that everything else raises."""

import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import msgspec

from identity.issuers.failures import IssuerAway
from llum.failures import Fault
from schemas.errors import Code, Error, LlumError, Transient, raised_from

if TYPE_CHECKING:
    from identity.issuers.fetching import Answer, Fetcher

ANSWER_WITHIN_S: Final = 30.0
"""Seconds for one answer."""

_decoder: Final = msgspec.json.Decoder(dict[str, Any])


def fetcher() -> "Fetcher":
    """Make what asks over HTTP. To be closed by whoever has made it."""
    # It brings aiohttp, which takes a moment to import.
    from identity.issuers.fetching import Fetcher

    return Fetcher(ANSWER_WITHIN_S)


async def get_json(asking: "Fetcher", url: str, bearer: str | None = None) -> dict[str, Any]:
    """Get a JSON object. Raises `Fault`, `Refusal`, `Transient`."""
    try:
        answer = await asking.get(url, bearer)
    except IssuerAway as away:
        raise _unreachable(url, away) from away
    return _members(url, answer)


async def post_form(asking: "Fetcher", url: str, form: Mapping[str, str]) -> dict[str, Any]:
    """Post a form without its empty fields, and give the JSON object that is answered. Raises as `get_json`."""
    try:
        answer = await asking.post(url, {name: value for name, value in form.items() if value}, {})
    except IssuerAway as away:
        raise _unreachable(url, away) from away
    return _members(url, answer) if answer.body else {}


def host_of(url: str) -> str:
    """Name the place of an address, as people know it."""
    return urlsplit(url).netloc


def refusal_of(members: Mapping[str, Any], place: str) -> LlumError:
    """Make the error of what an endpoint has refused: llum's own code counts before that of RFC 6749."""
    given = members.get("error")
    inner = given if isinstance(given, dict) else {}
    code = _code(members.get("code"), inner.get("code"), given)
    said = inner.get("message") or members.get("error_description") or given or "no reason was given"
    hint = inner.get("hint") or members.get("hint")
    return raised_from(Error(code, f"{place} refuses: {said}", None, str(hint) if hint else None))


def _code(*names: object) -> Code:
    known = {code.value: code for code in Code}
    return next((known[name] for name in names if isinstance(name, str) and name in known), Code.INTERNAL)


def _members(url: str, answer: "Answer") -> dict[str, Any]:
    try:
        members = _decoder.decode(answer.body)
    except (msgspec.DecodeError, RecursionError) as error:
        if answer.status >= 500:
            raise Transient(Code.UNAVAILABLE, f"{host_of(url)} answers {answer.status}") from error
        hint = "Give the address at which llum is shown in a browser, such as https://llum.example."
        raise Fault(f"no llum answers at {url}: the status is {answer.status}, and there is no JSON", hint) from error
    if answer.status >= 400:
        raise refusal_of(members, host_of(url))
    return members


def _unreachable(url: str, away: IssuerAway) -> LlumError:
    """Tell what a person can mend from what may be different in a moment."""
    cause, place = away.__cause__, host_of(url)
    if isinstance(cause, ssl.SSLError):
        said = getattr(cause, "verify_message", "") or "the connection is not protected as it must be (TLS)"
        hint = "If the certificate is of your own authority, name it in SSL_CERT_FILE. Never go on without."
        return Fault(f"{place} does not show that it is {place}: {said}", hint)
    if "DNS" in type(cause).__name__:
        return Fault(f"there is no {place}: no machine is known by that name", "See whether the address is right.")
    hint = "see whether llum runs there, and whether the address is right"
    return Transient(Code.UNAVAILABLE, f"{place} does not answer ({away})", hint)
