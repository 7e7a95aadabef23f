"""Issuers are asked over TLS, and shown to be who they are, also by a process that has imported aiohttp without it."""

import datetime
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from identity.issuers.failures import IssuerAway
from identity.issuers.fetching import Fetcher


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Make one for `localhost` that signs itself; give certificate and key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(
        now + datetime.timedelta(days=1)
    )
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    certificate, secret = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, secret


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[tuple[str, Path]]:
    """Serve a document over TLS; give its address, and the certificate."""
    certificate, key = make_certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    async def handle(_: web.BaseRequest) -> web.StreamResponse:
        return web.json_response({"is": "there"})

    runner = web.ServerRunner(web.Server(handle), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "localhost", 0, ssl_context=context).start()
    yield f"https://localhost:{runner.addresses[0][1]}/", certificate
    await runner.cleanup()


async def test_an_issuer_that_nobody_vouches_for_is_away(served: tuple[str, Path], fetcher: Fetcher) -> None:
    """Whoever stands in between would otherwise be the issuer."""
    with pytest.raises(IssuerAway, match="Certificate"):
        await fetcher.get(served[0])


async def test_an_own_authority_can_be_named(served: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """By OpenSSL's variable, when the edge starts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(served[1]))
    fetcher = Fetcher()
    try:
        assert (await fetcher.get(served[0])).body == b'{"is": "there"}'
    finally:
        await fetcher.close()
