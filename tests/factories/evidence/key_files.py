"""Keys and certificates of organisations, and a folder for the instance's."""

import datetime as dt

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from tracker.core import clock

Private = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
DAY = dt.timedelta(days=1)


def new_private() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(private: Private, password: bytes | None = None) -> bytes:
    sealing: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password:
        sealing = serialization.BestAvailableEncryption(password)
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, sealing
    )


def certificate(
    private: Private,
    *,
    of: str = "Office of the People's Advocate",
    issuer: x509.Certificate | None = None,
    issuer_key: Private | None = None,
    begins: dt.timedelta = -DAY,
    ends: dt.timedelta = 30 * DAY,
    may_sign: bool = True,
) -> x509.Certificate:
    """Return a certificate of a key, made by itself or by an issuer."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, of)])
    usage = {
        "digital_signature": may_sign,
        "content_commitment": False,
        "key_encipherment": not may_sign,
        "data_encipherment": False,
        "key_agreement": False,
        "key_cert_sign": True,
        "crl_sign": False,
        "encipher_only": False,
        "decipher_only": False,
    }
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer.subject if issuer else name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(clock.now() + begins)
        .not_valid_after(clock.now() + ends)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .sign(issuer_key or private, hashes.SHA256())
    )


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(
        certificate.public_bytes(serialization.Encoding.PEM) for certificate in certificates
    )
