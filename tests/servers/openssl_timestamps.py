"""A timestamp authority (RFC 3161) whose timestamps OpenSSL makes, and OpenSSL's own check of them.

It knows nothing of the library that asks for timestamps here.
"""

import datetime as dt
import shutil
import subprocess
from pathlib import Path

from cryptography.hazmat.primitives import serialization

from tests.moments import standing_at, using
from tests.servers.timestamps import TimestampServer, private_key

PROGRAM = shutil.which("openssl")
_CONFIGURATION = """[authority]
serial = {folder}/serial
signer_digest = sha256
default_policy = 1.3.6.1.4.1.32473.1
digests = {digests}
accuracy = secs:1
ordering = yes
tsa_name = yes
ess_cert_id_chain = yes
ess_cert_id_alg = sha256
"""


class OpensslTimestampServer(TimestampServer):
    """An authority that runs "openssl ts -reply" for each request, for some kinds of digests."""

    def __init__(
        self, folder: Path, digests: str, *, lasts: dt.timedelta, began: dt.datetime
    ) -> None:
        super().__init__("OpenSSL", lasts=lasts, lists=True)
        self._folder, self._began = folder, began
        (folder / "serial").write_text("01\n")
        (folder / "tsa.conf").write_text(_CONFIGURATION.format(folder=folder, digests=digests))

    def begin(self) -> None:
        """Make the authority's certificates, and write them where OpenSSL reads them."""
        with using(standing_at(self._began)):
            super().begin()
        pem = serialization.Encoding.PEM
        for name, certificate in (("own", self.own), ("root", self.root)):
            (self._folder / f"{name}.pem").write_bytes(certificate.public_bytes(pem))
        key = private_key(self.name).private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (self._folder / "key.pem").write_bytes(key)

    def _timestamp(self, query: bytes) -> bytes:
        (self._folder / "query").write_bytes(query)
        files = {
            "-config": "tsa.conf",
            "-queryfile": "query",
            "-inkey": "key.pem",
            "-signer": "own.pem",
            "-chain": "root.pem",
            "-out": "reply",
        }
        words = [word for option, name in files.items() for word in (option, self._folder / name)]
        # It exits 1 if it refuses, and its reply says so.
        subprocess.run(
            [str(PROGRAM), "ts", "-reply", "-section", "authority", *words],
            capture_output=True,
            check=False,
        )
        return (self._folder / "reply").read_bytes()

    def confirms(self, token: bytes, digest: str) -> bool:
        """Return whether OpenSSL finds that a timestamp is this authority's, of that SHA-256."""
        (self._folder / "token").write_bytes(token)
        root, given = self._folder / "root.pem", self._folder / "token"
        done = subprocess.run(
            [
                str(PROGRAM), "ts", "-verify", "-digest", digest,
                "-token_in", "-in", given, "-CAfile", root,
            ],
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip
        return done.returncode == 0
