"""What a browser is shown when a request fails: what happened and what to do, in plain English."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from aiohttp import web

from edge_http.http.observe import TRACE
from edge_http.web.pages import page


class Wording(NamedTuple):
    title: str
    happened: str
    advice: str


WORDS: Final = {
    400: Wording(
        "llum does not understand this",
        "The address or the form holds something that llum cannot read.",
        "Go back and try again. If you have typed the address, check its spelling.",
    ),
    401: Wording(
        "Please sign in",
        "This page is for people who have signed in, and llum does not know who you are.",
        "Sign in, and open the page again.",
    ),
    403: Wording(
        "This is not allowed",
        "llum knows what you ask for, and you may not have it or do it.",
        "If a form brought you here, open it again and send it once more: it may have been open for too long. "
        "If you think that you may do this, ask whoever runs this llum.",
    ),
    404: Wording(
        "There is nothing here",
        "No page of this llum has this address.",
        "Check its spelling, or find your way from the start.",
    ),
    405: Wording(
        "This address is not a page",
        "It is there for forms or programs, and takes no visit of this kind.",
        "Find your way from the start.",
    ),
    409: Wording(
        "This does not fit any more",
        "Something has changed in the meantime.",
        "Open the page again and see how it is now.",
    ),
    413: Wording(
        "This is too large",
        "What was sent is larger than llum takes.",
        "Send less, or in several parts.",
    ),
    415: Wording(
        "llum cannot read this kind of content",
        "A form must be sent as a form. What came was something else.",
        "Go back to the form and send it from there.",
    ),
    422: Wording(
        "llum cannot take this",
        "What was sent is readable, but llum cannot accept it.",
        "Go back, change it and try again.",
    ),
    429: Wording(
        "Too many tries",
        "There were too many requests in a short time, from you or from your network.",
        "Wait a little, then try again.",
    ),
    500: Wording(
        "Something broke",
        "There was a fault in llum. It is not your doing, and it has been recorded.",
        "Try again in a while. If it happens again, tell whoever runs this llum, with the number below.",
    ),
    503: Wording(
        "llum is not ready",
        "A part of llum does not answer at the moment. Nothing of what it has stored is lost.",
        "Wait a few seconds, then load the page again.",
    ),
}


def fault_page(request: web.Request, status: int, message: str, headers: Mapping[str, str]) -> web.Response:
    """Show an error. `message` says more about it, if there is more to be said."""
    words = WORDS.get(status) or WORDS[400 if status < 500 else 500]
    response = page(
        request, "fault.html", status, code=status, message=message, trace_id=request[TRACE].request_id,
        **words._asdict(),
    )  # fmt: skip
    response.headers.update(headers)
    return response
