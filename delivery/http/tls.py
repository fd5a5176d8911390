"""TLS towards one target: whom it must be vouched for by, and the certificate that we show it."""

from __future__ import annotations

import ssl
import tempfile

import msgspec

PURPOSE = ssl.Purpose.SERVER_AUTH


class InvalidPEM(ValueError):
    """A certificate, key or authority that cannot be used. `part`: "ca", "certificate" or "key"; the text is a sentence."""

    def __init__(self, part: str, sentence: str) -> None:
        super().__init__(sentence)
        self.part = part


class TLS(msgspec.Struct, frozen=True):
    """PEM texts, each "" for none. With `ca` only those authorities count, not the system's."""

    ca: str = ""
    certificate: str = ""
    """What we show: our certificate, and those between it and an authority."""
    key: str = ""

    def __repr__(self) -> str:
        return f"TLS(ca={bool(self.ca)}, certificate={bool(self.certificate)})"

    def context(self) -> ssl.SSLContext:
        """Verifies certificates and names, always; TLS 1.2 or later. Raises InvalidPEM."""
        try:
            # Without cadata the system's authorities are loaded, SSL_CERT_FILE honoured.
            context = ssl.create_default_context(PURPOSE, cadata=self.ca or None)
        except (ssl.SSLError, ValueError):
            raise InvalidPEM(
                "ca", "This is no certificate in PEM form (-----BEGIN CERTIFICATE----- and what follows)."
            ) from None
        if self.ca and not context.get_ca_certs():
            raise InvalidPEM(
                "ca", "This is no certificate of an authority; a server's own one cannot vouch here."
            )
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        if self.certificate or self.key:
            _show(context, self.certificate, self.key)
        return context


def _show(context: ssl.SSLContext, certificate: str, key: str) -> None:
    if "-----BEGIN CERTIFICATE-----" not in certificate:
        raise InvalidPEM(
            "certificate",
            "This is no certificate in PEM form (-----BEGIN CERTIFICATE----- and what follows).",
        )
    if "PRIVATE KEY-----" not in key:
        raise InvalidPEM(
            "key", "This is no private key in PEM form (-----BEGIN PRIVATE KEY----- and what follows)."
        )

    def locked() -> str:
        raise InvalidPEM("key", "The key is locked with a passphrase; give it without one.")

    # OpenSSL reads them from a file only; it is this user's alone and gone at once.
    with tempfile.NamedTemporaryFile("w", suffix=".pem", encoding="utf-8") as file:
        file.write(f"{certificate.strip()}\n{key.strip()}\n")
        file.flush()
        try:
            context.load_cert_chain(file.name, password=locked)
        except ssl.SSLError as error:
            if "MISMATCH" in (error.reason or ""):
                raise InvalidPEM("key", "The key does not belong to the certificate.") from None
            raise InvalidPEM("certificate", "The certificate or its key cannot be read as PEM.") from None
