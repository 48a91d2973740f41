"""nginx with the configuration that operators get, in front of a server of this machine."""

import datetime as dt
import http.client
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.servers.ports import free_port
from tests.servers.server import PATIENCE, ProcessServer
from tracker.core.paths import ROOT

# Installed, or unpacked by .ci/system.
PROGRAM = shutil.which("nginx") or shutil.which(ROOT / ".venv/nginx/usr/sbin/nginx")
CONFIGURATION = ROOT / "docs" / "operating" / "nginx.conf"
NAME = "terms.npm.example"


class Proxy(ProcessServer):
    """nginx on free ports of this machine; use it in a with statement."""

    def __init__(self, folder: Path, behind: int, **directives: str) -> None:
        """Prepare it; directives are values other than those in the file, by their names."""
        self.port = free_port()
        super().__init__([
            str(PROGRAM), "-e", str(folder / "start.log"), "-p", str(folder),
            "-c", str(_configured(folder, self.port, behind, directives)), "-g", "daemon off;",
        ])  # fmt: skip

    def complaints(self) -> str:
        """Return what nginx says about its configuration; empty if it understands every line."""
        done = subprocess.run(
            [*self._command, "-t", "-q"], capture_output=True, text=True, check=False
        )
        return done.stderr or f"exit {done.returncode}" * bool(done.returncode)

    def _reach(self) -> None:
        self.connect().close()

    def connect(
        self, client: str = "127.0.0.1", context: ssl.SSLContext | None = None
    ) -> ssl.SSLSocket:
        """Open a connection over TLS from an address of this machine."""
        context = context or trusting_context()
        plain = socket.create_connection(("127.0.0.1", self.port), PATIENCE, (client, 0))
        return context.wrap_socket(plain, server_hostname=NAME)

    def ask(
        self,
        path: str,
        body: bytes | None = None,
        *,
        client: str = "127.0.0.1",
        **headers: str,
    ) -> tuple[http.client.HTTPResponse, str]:
        """Send a request, a form if it has a body; return the response and its text."""
        lines = {
            "Host": NAME,
            "Origin": f"https://{NAME}",
            "Referer": f"https://{NAME}/",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        if body is not None and "Transfer-Encoding" not in lines:
            lines["Content-Length"] = str(len(body))
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        method = "GET" if body is None else "POST"
        with self.connect(client) as connection:
            connection.sendall(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode())
            # It may be refused before all of it has arrived.
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(body or b"")
            response = http.client.HTTPResponse(connection)
            response.begin()
            return response, response.read().decode()


def trusting_context() -> ssl.SSLContext:
    """Return what connections are opened with: nobody signed the certificate to compare."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _configured(folder: Path, port: int, behind: int, directives: Mapping[str, str]) -> Path:
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
    for name, value in directives.items():
        text, times = re.subn(rf"(?<=^    {name} )[^;]+", value, text, flags=re.MULTILINE)
        assert times == 1, name
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
