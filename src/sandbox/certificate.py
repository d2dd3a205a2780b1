"""The TLS certificate of an emulator that enforces IAM.

Policies that refuse unencrypted requests (`aws:SecureTransport`) hold there, so it must speak TLS.
The certificate is made anew for each start, signs for itself and is trusted by nobody but those
handed it.
"""

import datetime as dt
import ipaddress
from dataclasses import dataclass
from pathlib import Path

_VALID = dt.timedelta(days=2)
_CLOCK_SKEW = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Certificate:
    """PEM files of a certificate and its key."""

    certificate: Path
    key: Path


def make_certificate(directory: Path) -> Certificate:
    """A certificate for 127.0.0.1, written to `directory`; only its owner can read the key."""
    # Imported here, as a plain `make run` needs neither TLS nor this library.
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ledger sandbox")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + _VALID)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = Certificate(certificate=directory / "certificate.pem", key=directory / "key.pem")
    files.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files.key.touch(mode=0o600)
    files.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files
