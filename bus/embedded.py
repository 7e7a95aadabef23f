"""The embedded nats-server: a child process with its own configuration, data and log below llum's data folder."""

import asyncio
import json
import os
import shutil
from pathlib import Path
from typing import Final

from bus import credentials, nats_process
from bus.accounts import DEFAULT_LIMITS, AppLimits, accounts
from bus.credentials import Credentials, Role
from bus.errors import EmbeddedServerError
from bus.log_format import claim_folder
from bus.logger import get_logger
from bus.subjects import DEFAULT_PARTITIONS, server_mappings
from schemas.limits import MAX_PAYLOAD_BYTES

FOLDER: Final = "nats"
CONFIG_FILE: Final = "nats.conf"
PID_FILE: Final = "nats.pid"

ANY_PORT: Final = -1
"""How the server's configuration says that the system is to choose."""

READY_POLL_S: Final = 0.01
"""Seconds between looks at whether the server answers: it does so about 50 ms after its start."""

READY_WITHIN_S: Final = 20.0
"""Seconds that the server may take to start; it reads its streams' indexes before it answers."""

STOP_WITHIN_S: Final = 3.0
"""Seconds that the server may take to stop before it is killed; the log is safe either way."""

LOG_BYTES: Final = 8 * 1024 * 1024
"""Bytes of the server's log file before it starts a new one. It keeps three."""

MEMORY_BYTES: Final = 1024 * 1024 * 1024
"""Memory that the server may take before it looks for garbage more often, and as much again as its files take.

It keeps in memory what is in the files: for each subject in the log up to 350 bytes, where a message takes as much. So
this is enough for a log of any size, and an hour of work does not take 1.8 GB.
"""

log = get_logger("llum.bus")


class EmbeddedServer:
    """One nats-server with JetStream. After it has died or been stopped, `start` starts it again on the same port."""

    def __init__(
        self,
        data_dir: Path | str,
        port: int = 0,
        partitions: int = DEFAULT_PARTITIONS,
        *,
        sync_interval: str = "always",
        limits: AppLimits = DEFAULT_LIMITS,
    ) -> None:
        """Port 0: any free one, known once the first start is ready.

        `sync_interval` 10s is faster; a power cut may lose what was told last.
        """
        self._data = Path(data_dir).absolute()
        self._folder = self._data / FOLDER
        self._partitions = partitions
        self._sync_interval = sync_interval
        self._limits = limits
        self._process: asyncio.subprocess.Process | None = None
        self.port = port

    @property
    def url(self) -> str:
        """Where it answers. Nobody is let in without credentials."""
        return f"nats://127.0.0.1:{self.port}"

    def url_as(self, role: Role) -> str:
        """Give the address with the login of one of llum's own processes, which is to be shown to nobody."""
        return self.credentials.at(self.url, role)

    @property
    def credentials(self) -> Credentials:
        """What llum's own processes show to it; made with the first start."""
        return credentials.ensure(self._data)

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def log_file(self) -> Path:
        return self._data / "log" / "nats-server.log"

    async def start(self) -> None:
        """Start the server.

        Raises `EmbeddedServerError`: no binary, folder not writable, port taken, data in use; `InstallationError`: the
        folder holds a log of another format.
        """
        binary = nats_process.find_binary()
        try:
            await self._start(binary)
        except OSError as error:
            raise EmbeddedServerError(
                f"nats-server cannot use {self._data}: {error.strerror or error}",
                "make the folder writable, or choose another with LLUM_DATA_DIR",
            ) from error

    async def wait_ready(self, timeout_s: float = READY_WITHIN_S) -> None:
        """Wait until the server answers. Raises `EmbeddedServerError` if it dies first, or is not ready in time."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        while not await self.answers():
            if not self.running:
                raise self._failure("nats-server ended while starting")
            if asyncio.get_running_loop().time() > deadline:
                raise self._failure(f"nats-server is not ready after {timeout_s:g} s")
            await asyncio.sleep(READY_POLL_S)

    async def wait(self) -> int:
        """Wait until the server has ended, and give its exit code (negative: the signal)."""
        if self._process is None:
            raise EmbeddedServerError("nats-server was not started", "start it first")
        return await self._process.wait()

    async def stop(self, timeout_s: float = STOP_WITHIN_S) -> None:
        """Ask the server to stop, kill it if it does not in time. Does nothing if it has ended."""
        if self._process is None or not self.running:
            return
        self._process.terminate()
        try:
            async with asyncio.timeout(timeout_s):
                await self._process.wait()
        except TimeoutError:
            log.warning("nats_server.killed", pid=self.pid, after_s=timeout_s)
            self._process.kill()
            await self._process.wait()
        nats_process.remove_note(self._pid_file)

    def kill(self) -> None:
        """End the server at once; the log is safe."""
        if self._process is not None and self.running:
            self._process.kill()

    def configuration(self) -> str:
        """Give the text of the server's configuration file. Strings are quoted as in JSON, which nats-server reads."""
        return "\n".join(
            [
                f'listen: "127.0.0.1:{self.port or ANY_PORT}"',
                f"ports_file_dir: {_quoted(str(self._folder))}",
                'server_name: "llum-embedded"',
                f"max_payload: {MAX_PAYLOAD_BYTES}",
                f"log_file: {_quoted(str(self.log_file))}",
                f"logfile_size_limit: {LOG_BYTES}",
                "logfile_max_num: 3",
                "jetstream {",
                f"  store_dir: {_quoted(str(self._streams))}",
                f"  sync_interval: {self._sync_interval}",
                f"  max_file_store: {self._disk_bytes()}",
                "}",
                accounts(self.credentials, self._mappings(), self._limits),
                "",
            ]
        )

    def _mappings(self) -> dict[str, str]:
        return server_mappings(self._partitions)

    def _disk_bytes(self) -> int:
        """Give the size of the disk. By default nats-server takes a part of what is free when it starts, for ever."""
        there = next(folder for folder in (self._data, *self._data.parents) if folder.exists())
        return shutil.disk_usage(there).total

    @property
    def _streams(self) -> Path:
        return self._folder / "jetstream"

    @property
    def _config_file(self) -> Path:
        return self._folder / CONFIG_FILE

    @property
    def _pid_file(self) -> Path:
        return self._folder / PID_FILE

    async def _start(self, binary: str) -> None:
        await asyncio.to_thread(claim_folder, self._data)
        self._folder.mkdir(parents=True, exist_ok=True)
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        await asyncio.to_thread(nats_process.end_orphan, self._pid_file, self._config_file)
        await asyncio.to_thread(nats_process.remove_ports_files, self._folder)
        if self.port:
            await asyncio.to_thread(nats_process.require_free_port, self.port)
        await asyncio.to_thread(self._write_configuration)
        memory_bytes = MEMORY_BYTES + await asyncio.to_thread(_bytes_below, self._streams)
        self._process = await nats_process.spawn([binary, "-c", str(self._config_file)], self.log_file, memory_bytes)
        nats_process.note_child(self._pid_file, self._process.pid)

    def _write_configuration(self) -> None:
        """Write the file, which holds passwords: nobody else may read it."""
        self._config_file.touch(mode=0o600)
        self._config_file.chmod(0o600)
        self._config_file.write_text(self.configuration(), encoding="utf-8")

    async def answers(self) -> bool:
        """Tell whether this server greets. It does so only after it has read its streams.

        Another one may listen at the port that this one was to have, until this one has found that out and ended.
        """
        port = self.listens_at().get("nats")
        if port is None:
            return False
        self.port = port
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        try:
            async with asyncio.timeout(1.0):
                return (await reader.readline()).startswith(b"INFO ")
        except (OSError, TimeoutError, ValueError):
            return False
        finally:
            writer.close()

    def listens_at(self) -> dict[str, int]:
        """Give the server's ports by what they are for, as it says itself; empty if it does not listen."""
        return nats_process.ports(self._folder, self.pid) if self.pid else {}

    def _failure(self, message: str) -> EmbeddedServerError:
        reason = nats_process.last_words(self.log_file)
        return EmbeddedServerError(f"{message} ({reason})" if reason else message, f"see {self.log_file}")


def end_running(data_dir: Path) -> bool:
    """End the server that runs on a data folder, so that the llum that has started it starts it anew.

    False if there is none.
    """
    folder = data_dir.absolute() / FOLDER
    return nats_process.end_noted(folder / PID_FILE, folder / CONFIG_FILE)


def _bytes_below(folder: Path) -> int:
    """Add up the sizes of all files in a folder and below."""
    return sum(os.stat(Path(place) / name).st_size for place, _, names in os.walk(folder) for name in names)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
