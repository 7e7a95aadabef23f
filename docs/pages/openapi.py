"""The OpenAPI document, as an llum serves it on which all is switched on."""

import json

from edge_http.openapi.document import ALL, document


def openapi_page() -> str:
    """Write it, a member in each line."""
    return json.dumps(document(ALL, "https://llum.example"), indent=1, ensure_ascii=False) + "\n"
