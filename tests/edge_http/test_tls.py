"""TLS at the edge: what clients are shown, what is read again, and what is said of files that cannot be used."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509

from edge_http.http.server import serve_on
from edge_http.http.tls import Certificate
from llum.failures import Fault
from llum.processes.listening import listen, url_of
from llum.processes.reached import checked_public_url, tls_files
from llum.settings import Settings
from schemas.errors import SetupError
from tests.edge_http import certificates
from tests.edge_http.certificates import Files
from tests.edge_http.conftest import Edge
from tests.waiting import eventually


@asynccontextmanager
async def serving(certificate: Certificate) -> AsyncIterator[int]:
    """Serve over TLS, and give the port."""
    edge, stop, listening = Edge("https://llum.example"), asyncio.Event(), listen("127.0.0.1", 0)
    ready = asyncio.Event()
    running = asyncio.create_task(serve_on(listening, edge.app, stop, ready.set, certificate))
    try:
        await ready.wait()
        yield listening.getsockname()[1]
    finally:
        stop.set()
        await running


def client(version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if version is not None:
        context.minimum_version = context.maximum_version = version
    return context


async def shown(port: int, name: str | None = None) -> str:
    """Connect, and give the name in the certificate that is shown."""
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client(), server_hostname=name or "")
    raw = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return str(x509.load_der_x509_certificate(raw).subject.rfc4514_string())


async def test_a_request_over_tls_is_answered(tmp_path: Path) -> None:
    """By HTTP/1.1, and with the word for browsers to come back over TLS alone."""
    async with serving(Certificate(*certificates.write(tmp_path))) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client(), server_hostname="llum.example")
        writer.write(b"GET / HTTP/1.1\r\nHost: evil.example\r\nAccept: text/html\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
    head = answer.partition(b"\r\n\r\n")[0].decode()
    assert head.startswith("HTTP/1.1 200")
    assert "Strict-Transport-Security: max-age=31536000" in head
    assert b"evil.example" not in answer


async def test_old_versions_and_plain_http_are_turned_away(tmp_path: Path) -> None:
    """TLS 1.2 and 1.3 are spoken."""
    async with serving(Certificate(*certificates.write(tmp_path))) as port:
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client(version))
            writer.close()
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            old = client(ssl.TLSVersion.TLSv1_1)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.open_connection("127.0.0.1", port, ssl=old)
        assert b"HTTP/1.1" not in await plain_answer(port)


async def plain_answer(port: int) -> bytes:
    """Ask without TLS, and give what comes before the connection is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    try:
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize("name", ["llum.example", None])
async def test_a_renewed_certificate_is_shown_to_who_comes_next(tmp_path: Path, name: str | None) -> None:
    """Once the files are read again; who names no server is shown it, too. Files of no use change nothing."""
    files = certificates.write(tmp_path, "old.example")
    certificate = Certificate(*files)
    async with serving(certificate) as port:
        assert await shown(port, name) == "CN=old.example"
        files.certificate.write_text("no certificate")
        certificate.read_again()
        assert await shown(port, name) == "CN=old.example"
        certificates.write(tmp_path, "new.example")
        certificate.read_again()

        async def is_new() -> bool:
            return await shown(port, name) == "CN=new.example"

        await eventually(is_new, "the new certificate is shown")


async def test_files_that_have_changed_are_noticed(tmp_path: Path) -> None:
    """Without being told."""
    certificate = Certificate(*certificates.write(tmp_path, "old.example"))
    watching = asyncio.create_task(certificate.watch(every_s=0.01))
    async with serving(certificate) as port:
        certificates.write(tmp_path, "new.example")

        async def is_new() -> bool:
            return await shown(port) == "CN=new.example"

        await eventually(is_new, "the new certificate is shown")
    watching.cancel()


def of_another(files: Files) -> None:
    other = files.key.with_name("other")
    other.mkdir()
    certificates.write(other).key.replace(files.key)


MISTAKES = {
    "no certificate": (lambda files: files.certificate.write_text("hello"), "holds no certificate"),
    "no key": (lambda files: files.key.write_text("hello"), "holds no key that can be used"),
    "a certificate that is not there": (lambda files: files.certificate.unlink(), "tls_certificate cannot be read"),
    "a key that is not there": (lambda files: files.key.unlink(), "tls_key cannot be read"),
    "the key of another": (of_another, "is not the key of"),
    "a key for everybody": (lambda files: files.key.chmod(0o644), "can be read by everybody"),
    "a key with a password": (
        lambda files: certificates.write(files.key.parent, password=b"secret"),
        "holds no key that can be used",
    ),
    "an expired one": (lambda files: certificates.write(files.key.parent, days=(-30, -1)), "expired on"),
    "one of tomorrow": (lambda files: certificates.write(files.key.parent, days=(1, 30)), "is good from"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_mistake_has_its_words(tmp_path: Path, mistake: str) -> None:
    """One line, which says what to do, and never asks for a password at the terminal."""
    make, words = MISTAKES[mistake]
    files = certificates.write(tmp_path)
    make(files)
    with pytest.raises(SetupError, match=words) as caught:
        Certificate(*files)
    assert caught.value.hint


def test_a_certificate_alone_is_a_mistake() -> None:
    """And so is a key alone."""
    assert tls_files(Settings()) is None
    for given in ({"tls_certificate": Path("a")}, {"tls_key": Path("a")}):
        with pytest.raises(Fault, match="is not"):
            tls_files(Settings(**given))


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:80", "http://a.localhost", "https://llum.example"],
)
def test_people_reach_llum_over_tls_or_on_their_own_machine(url: str) -> None:
    """Whatever is behind it."""
    assert checked_public_url(Settings(public_url=url), "http://127.0.0.1:1") == url


@pytest.mark.parametrize(
    "url", ["http://llum.example", "http://192.0.2.7", "http://localhost.example", "http://10.0.0.1"]
)
def test_an_address_that_sends_passwords_in_clear_is_refused(url: str) -> None:
    """With the way on."""
    with pytest.raises(Fault, match="over the network") as caught:
        checked_public_url(Settings(public_url=url), "http://127.0.0.1:1")
    assert "tls_certificate" in str(caught.value)


def test_the_address_where_it_listens_says_how() -> None:
    """`llum up` prints it, and it is the public address if there is no other."""
    with listen("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        assert url_of(listening, tls=True) == f"https://127.0.0.1:{port}"
        assert checked_public_url(Settings(), url_of(listening)) == f"http://127.0.0.1:{port}"
