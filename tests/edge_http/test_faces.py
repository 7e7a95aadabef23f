"""Which face answers a route."""

from pathlib import Path
from unittest.mock import MagicMock

import edge_http
from edge_http.app import make_app
from edge_http.http.faces import faces_of


def test_each_route_is_of_a_folder_of_the_edge() -> None:
    """Whatever its handler is: a function, a method, an object."""
    faces = faces_of(make_app(MagicMock(), MagicMock(), MagicMock(), "http://localhost"))
    assert faces[("GET", "/health")] == "http"
    assert faces[("GET", "/preferences/{key}")] == "preferences"
    folder = Path(edge_http.__file__).parent
    assert {face for face in faces.values() if not (folder / face).is_dir()} == set()
