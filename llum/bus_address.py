"""Where the bus is, for whoever connects to a llum that runs."""

from pathlib import Path

from llum.processes.running import find
from llum.settings import load


def find_bus(data_dir: Path | str | None = None) -> str:
    """Give LLUM_NATS_URL, or the address of the bus of the llum that runs on the data folder. Raises a `Fault`."""
    settings = load({"data_dir": data_dir})
    return settings.nats_url or find(settings.data_dir).nats
