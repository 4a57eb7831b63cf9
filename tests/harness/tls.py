"""Certificates for tests, made by OpenSSL."""

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Pair:
    """A certificate and its key, in files."""

    certificate: Path
    key: Path

    @property
    def pem(self):
        """The certificate's text."""
        return self.certificate.read_bytes()

    @property
    def key_pem(self):
        """The key's text."""
        return self.key.read_bytes()


class Authority:
    """A CA of a test's own, in a directory."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.own = self._make("ca", "/O=Test/CN=Test CA", [], ("rsa:2048",), "basicConstraints=critical,CA:TRUE")

    def issue(self, *names, key=("rsa:2048",), days=30):
        """A certificate for names; the first is the common one."""
        alternative = ",".join(f"DNS:{name}" for name in names)
        signed_by = ["-CA", str(self.own.certificate), "-CAkey", str(self.own.key)]
        file = names[0].replace("*", "any") + f"-{key[0].replace(':', '')}"
        return self._make(file, f"/CN={names[0]}", signed_by, key, f"subjectAltName={alternative}",
                          "basicConstraints=critical,CA:FALSE", "extendedKeyUsage=serverAuth", days=days)

    def _make(self, file, subject, signed_by, key, *extensions, days=30):
        pair = Pair(self.directory / f"{file}.pem", self.directory / f"{file}.key")
        options = [word for extension in extensions for word in ("-addext", extension)]
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", *key, "-nodes", "-keyout", str(pair.key), "-out",
             str(pair.certificate), "-subj", subject, "-days", str(days), *options, *signed_by],
            check=True, capture_output=True, timeout=60,
        )
        return pair


# A key's algorithm, as `openssl req -newkey` takes it.
ECDSA = ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")


def import_certificate(account, pair, **options):
    """Import a certificate. Returns its ARN."""
    acm = account.client("acm")
    made = acm.import_certificate(Certificate=pair.pem, PrivateKey=pair.key_pem, **options)
    return made["CertificateArn"]
