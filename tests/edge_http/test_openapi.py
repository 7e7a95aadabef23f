"""The OpenAPI document says what there is: it is made of code, and compared with the routes."""

from typing import Any

from aiohttp.test_utils import TestClient
from aiohttp.web import Application

from edge_http.app import make_app
from edge_http.openapi.document import ALL
from tests.edge_http.conftest import EdgeServer
from tests.edge_http.fakes import FakeAuthenticator, FakeBus, FakeRequests

FACES = tuple(
    f"edge_http.{face}"
    for face in ("oauth", "consent", "apps", "clients", "devices", "openapi", "accounts.password_grant", "preferences")
)


def application(**settings: Any) -> Application:
    fakes: Any = (FakeBus(1), FakeRequests(), FakeAuthenticator())
    return make_app(*fakes, "https://llum.example", 1, **settings)


def routes(app: Application) -> set[tuple[str, str]]:
    """Give the routes of the faces that the document is about. One for every method says what there is not."""
    return {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None
        and route.method not in ("HEAD", "*")
        and route.handler.__module__.startswith(FACES)
    }


def test_every_route_of_these_faces_is_described_once() -> None:
    """Whoever adds one describes it in `edge_http/openapi`."""
    described = [(one.method, one.path) for one in ALL]
    assert len(described) == len(set(described))
    assert routes(application(client_registrations=1)) == set(described)


async def test_the_document_has_what_there_is_and_nothing_else() -> None:
    """Without self-registration there is no such endpoint in it. Its server is the configured address."""
    app = application()
    async with TestClient(EdgeServer(app)) as client:
        document = await (await client.get("/openapi.json")).json()
    found = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert found == routes(app)
    assert ("POST", "/register") not in found
    assert document["servers"] == [{"url": "https://llum.example"}]
