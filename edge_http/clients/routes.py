"""The pages of clients, added to the application."""

from typing import Final

from aiohttp import web

from edge_http.clients import icons, original, page

ICON: Final = "/client-icon/{client_id}"


def add_clients(app: web.Application) -> None:
    """Add them."""
    router = app.router
    router.add_get("/list_clients", page.show_clients)
    router.add_post("/list_clients/add", page.add_client)
    router.add_post("/list_clients/change", page.change_client)
    router.add_post("/list_clients/secret", page.make_secret)
    router.add_post("/list_clients/delete", page.delete_client)
    router.add_post("/list_clients/icon", icons.take_icon)
    router.add_get(ICON, icons.show_icon)
    router.add_get("/list_clients_json", original.list_json)
    router.add_post("/list_clients_put", original.put)
    router.add_post("/list_clients_save", original.put)
