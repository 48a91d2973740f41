"""nginx with the configuration that operators get, in front of a server of this machine."""

import datetime as dt
import shutil
import socket
import ssl
import subprocess
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.servers.ports import free_port
from tests.servers.server import PATIENCE, ProcessServer
from tracker.core.paths import ROOT

PROGRAM = shutil.which("nginx")
CONFIGURATION = ROOT / "docs" / "operating" / "nginx.conf"
NAME = "terms.npm.example"


class Proxy(ProcessServer):
    """nginx on free ports of this machine; use it in a with statement."""

    def __init__(self, folder: Path, behind: int) -> None:
        self.port = free_port()
        super().__init__([
            str(PROGRAM), "-e", str(folder / "start.log"), "-p", str(folder),
            "-c", str(_configured(folder, self.port, behind)), "-g", "daemon off;",
        ])  # fmt: skip

    def complaints(self) -> str:
        """Return what nginx says about its configuration; empty if it understands every line."""
        done = subprocess.run(
            [*self._command, "-t", "-q"], capture_output=True, text=True, check=False
        )
        return done.stderr or f"exit {done.returncode}" * bool(done.returncode)

    def _reach(self) -> None:
        self.connect().close()

    def connect(self) -> ssl.SSLSocket:
        """Open a connection over TLS, without comparing the certificate, which nobody signed."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        return context.wrap_socket(plain, server_hostname=NAME)


def _configured(folder: Path, port: int, behind: int) -> Path:
    """Write the configuration with this machine's ports and files; return the main file."""
    signed, key = _certificate(folder)
    text = CONFIGURATION.read_text()
    for written, here in {
        "/etc/ssl/terms.npm.example.pem": str(signed),
        "/etc/ssl/private/terms.npm.example.key": str(key),
        "/var/log/nginx/error.log": str(folder / "error.log"),
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        "listen [::]:443 ssl;": "",
        "127.0.0.1:8000": f"127.0.0.1:{behind}",
    }.items():
        assert written in text, written
        text = text.replace(written, here)
    (folder / "site.conf").write_text(text)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    main = folder / "nginx.conf"
    main.write_text(
        f"pid {folder}/nginx.pid;\nevents {{}}\n"
        f"http {{\n{temporary}include {folder}/site.conf;\n}}\n"
    )
    return main


def _certificate(folder: Path) -> tuple[Path, Path]:
    """Return the files of a certificate for the proxy's name, and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    begin = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(begin + dt.timedelta(days=365 * 200))
        .sign(key, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files
