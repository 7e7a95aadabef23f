"""TLS at the edge: a certificate and its key from files, read again when they change.

Every connection is given what was read last. If the files cannot be used, those before stay in use and it is logged.
"""

import asyncio
import datetime
import ssl
import stat
from pathlib import Path
from typing import Final

from bus.logger import get_logger
from schemas.errors import SetupError

LOOK_EVERY_S: Final = 5.0
"""Seconds between two looks at whether the files have changed."""

HANDSHAKE_WITHIN_S: Final = 10.0
"""Seconds for a client to agree on a key: until then it has no place among the connections."""

log = get_logger("llum.edge")


class Certificate:
    """A certificate with its key. `context` is for the server; `watch()` keeps it the newest one."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Read the files. Raises `SetupError`, which says what is wrong with them."""
        self._files = (certificate, key)
        self._seen = self._looks()
        self._newest = _context(certificate, key)
        self._again = asyncio.Event()
        self.context = _context(certificate, key)
        self.context.sni_callback = self._give_newest

    def read_again(self) -> None:
        """Read the files now, whether they have changed or not."""
        self._seen = None
        self._again.set()

    async def watch(self, every_s: float = LOOK_EVERY_S) -> None:
        """Read the files again when they change, until cancelled."""
        while True:
            try:
                async with asyncio.timeout(every_s):
                    await self._again.wait()
            except TimeoutError:
                pass
            self._again.clear()
            looks = await asyncio.to_thread(self._looks)
            if looks != self._seen:
                self._seen = looks
                await self._read()

    async def _read(self) -> None:
        try:
            self._newest = await asyncio.to_thread(_context, *self._files)
        except SetupError as error:
            log.error("tls_not_read_again", why=str(error))
        else:
            log.info("tls_read_again", certificate=str(self._files[0]))

    def _looks(self) -> tuple[tuple[int, int] | None, ...] | None:
        return tuple(map(_looks_of, self._files))

    def _give_newest(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        connection.context = self._newest


def _looks_of(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _context(certificate: Path, key: Path) -> ssl.SSLContext:
    _check_key(key)
    _check_certificate(certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        # Without a password Python would ask whoever sits at the terminal.
        context.load_cert_chain(certificate, key, password=lambda: "")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise SetupError(f"{key} is not the key of {certificate}", "name the two that belong together") from error
        hint = "it must hold a private key in the form PEM, without a password"
        raise SetupError(f"{key} holds no key that can be used", hint) from error
    return context


def _check_key(key: Path) -> None:
    _read_file("tls_key", key)
    if key.stat().st_mode & stat.S_IROTH:
        raise SetupError(f"{key} can be read by everybody", f"close it: chmod o-r {key}")


def _check_certificate(file: Path) -> None:
    """See that it is one, and of today."""
    from cryptography import x509

    try:
        first, *_ = x509.load_pem_x509_certificates(_read_file("tls_certificate", file))
    except ValueError as error:
        hint = "it must hold certificates in the form PEM, llum's own first"
        raise SetupError(f"{file} holds no certificate", hint) from error
    now = datetime.datetime.now(datetime.UTC)
    if first.not_valid_after_utc < now:
        raise SetupError(f"the certificate in {file} expired on {first.not_valid_after_utc:%Y-%m-%d}", "renew it")
    if first.not_valid_before_utc > now:
        hint = "see whether the clock of this machine is right"
        raise SetupError(f"the certificate in {file} is good from {first.not_valid_before_utc:%Y-%m-%d} on", hint)


def _read_file(setting: str, file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        hint = "name a file that the user may read as whom llum runs"
        raise SetupError(f"{setting} cannot be read: {file}: {error.strerror}", hint) from error
