"""How the SDK comes to the bus: as an app by its token, or with the operator's credentials."""

from pathlib import Path

from bus.connection import Bus, Token
from bus.subjects import inbox_of_token
from llum.bus_address import bus_as, bus_of
from llum.settings import load
from schemas.errors import Code, Refusal


async def connected(url: str | None, data_dir: Path | str | None, app: str, token: Token | None) -> Bus:
    """Connect: at `url`, else at LLUM_NATS_URL, else where the llum on the data folder runs.

    Raises `llum.failures.Fault` if no llum runs there, `InstallationError` where the operator's credentials cannot be
    read, `Refusal` for what is no token, `Transient`.
    """
    settings, name = load({"data_dir": data_dir}), f"llum-client-{app}"
    if token is None:
        return await Bus.connect(bus_as(settings, "operator", url), name=name)
    inbox = inbox_of_token(token if isinstance(token, str) else token())
    if inbox is None:
        raise Refusal(Code.BAD_FIELD, "this is no token of llum", "token")
    return await Bus.connect(url or bus_of(settings), name=name, token=token, inbox_prefix=inbox)
