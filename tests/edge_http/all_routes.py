"""All routes of the edge, as the application has them: so a test of all forgets none."""

from functools import cache

from aiohttp import web

from edge_http.app import make_app
from tests.edge_http.fakes import FakeAuthenticator, FakeBus, FakeRequests

_ANY_NAME = (
    "{issuer}",
    "{path:.*}",
    "{path}",
    "{name}",
    "{op}",
    "{client_id}",
    "{app}",
    "{key}",
    "{label}",
    "{rest:.*}",
)

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=x"

UPLOADS = ("/list_clients/icon",)
"""They take the type that a form with a file has, with the token of a page as others."""


def empty_form(path: str) -> tuple[str, bytes]:
    """Give the type that a route takes, and a body without any field."""
    return (MULTIPART, b"--x--\r\n") if path in UPLOADS else (FORM, b"")


@cache
def _app() -> web.Application:
    fakes = FakeBus(4), FakeRequests(), FakeAuthenticator()
    return make_app(*fakes, "http://llum.example", 4)  # type: ignore[arg-type]


def paths_of(method: str) -> list[str]:
    """Name the paths of all routes of a method. What stands for any name is called `nothing`."""
    found = set()
    for route in _app().router.routes():
        if route.method == method and route.resource is not None:
            path = route.resource.canonical
            for place in _ANY_NAME:
                path = path.replace(place, "nothing")
            found.add(path)
    return sorted(found)


def posted_by_programs() -> frozenset[str]:
    """Name the endpoints that programs post to. They look at no cookie, so no page can use that of a person."""
    return frozenset(
        {
            "/access_token",
            "/device_authorization",
            "/introspect",
            "/preferences",
            "/register",
            "/request_token",
            "/revoke",
            "/token",
        }
    )


NONE = ("/static", "/.well-known", "/preferences/", "/nothing/settings")
"""What no page of a browser begins with."""


def pages() -> list[str]:
    """Name the paths that a browser shows as pages."""
    none = ("/health", "/ready", "/me", "/list_clients_json", "/check.json", "/openapi.json")
    return [path for path in paths_of("GET") if path not in none and not path.startswith(NONE)]
