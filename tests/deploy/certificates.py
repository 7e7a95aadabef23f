"""A certificate authority for a test, and one certificate of it for servers on loopback."""

import datetime
import ipaddress
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

DAY: datetime.timedelta = datetime.timedelta(days=1)
_PURPOSES = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]


class Files(NamedTuple):
    """Where they are, in PEM."""

    authority: Path
    certificate: Path
    key: Path

    @property
    def options(self) -> tuple[str, ...]:
        """Give them as options of `llum nats-config`."""
        given = {"--tls-cert": self.certificate, "--tls-key": self.key, "--tls-ca": self.authority}
        return tuple(str(word) for option in given.items() for word in option)


def write(folder: Path) -> Files:
    """Make them: good for 127.0.0.1, for clients and servers."""
    own, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = _named("authority", "authority", own).add_extension(x509.BasicConstraints(True, None), critical=True)
    loopback = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    server = _named("server", "authority", key).add_extension(loopback, critical=False)
    server = server.add_extension(x509.ExtendedKeyUsage(_PURPOSES), critical=False)
    files = Files(folder / "authority.pem", folder / "server.pem", folder / "server.key")
    for file, made in ((files.authority, root), (files.certificate, server)):
        file.write_bytes(made.sign(own, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    none = serialization.NoEncryption()
    files.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, none))
    return files


def _named(subject: str, issuer: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
    )


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
