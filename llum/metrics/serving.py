"""Serves metrics on a port of their own, if the settings name one.

It is never the port of the HTTP edge: whoever may use llum need not see how it does. `llum up` has two processes that
tell, so the edge takes the port after that of the worker.
"""

import asyncio
import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bus.logger import get_logger
from llum.failures import Fault
from llum.settings import Settings

if TYPE_CHECKING:
    from llum.metrics.values import ReadMetrics

log = get_logger(__name__)


@asynccontextmanager
async def serving(settings: Settings, read: "ReadMetrics", further: int = 0) -> AsyncIterator[None]:
    """Serve what `read` gives, `further` ports above the one in the settings, while the context is open.

    Raises a `Fault` if that port cannot be had.
    """
    assert settings.metrics_port is not None, "it is looked at before: most processes need nothing of all this"
    host, port = settings.metrics_host, settings.metrics_port and settings.metrics_port + further
    exposing = await asyncio.to_thread(importlib.import_module, "llum.metrics.exposing")
    try:
        port, end = await asyncio.to_thread(exposing.expose, host, port, read, asyncio.get_running_loop())
    except (OSError, OverflowError) as error:
        message = f"cannot serve metrics on port {port} of {host}: {getattr(error, 'strerror', None) or error}"
        raise Fault(message, "Choose another with --metrics-port or LLUM_METRICS_PORT (0: any free one).") from error
    log.info("metrics_served", host=host, port=port)
    try:
        yield
    finally:
        end()
