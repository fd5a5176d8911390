"""The settings of an HTTP target. `group` and `when` in a field's schema say where a form shows it, and whether."""

from __future__ import annotations

import base64
from typing import Literal
from urllib.parse import quote

from catalog.said import said
from delivery.connectors import config as settings
from delivery.connectors.config import Secret, setting
from delivery.connectors.http import signing
from delivery.connectors.http.oauth2 import Credentials
from delivery.connectors.http.templates import is_template
from delivery.connectors.http.validity import problems_of
from delivery.http import TLS

REQUEST, AUTH, SIGNATURE, PERMISSION, WAY = (
    said("Values from the event"),
    said("Authentication"),
    said("Signature"),
    said("Permission"),
    said("TLS and proxy"),
)
PEM = "application/x-pem-file"
LONGEST_PEM = 64 * 1024


class HTTPConfig(settings.Config):
    """Everything but the retries, which are the runner's."""

    url: str = setting(
        title="URL",
        description="Where each event is sent. Redirects are not followed. Path and query may hold values of the event:"
        " https://shop.example/orders/${subject}?type=${type}",
        format="uri",
        minLength=1,
        maxLength=2048,
        template=True,
    )
    method: Literal["POST", "PUT", "PATCH", "DELETE"] = setting(default="POST")
    mode: Literal["binary", "structured", "batched", "raw"] = setting(
        default="binary",
        title="CloudEvents mode",
        description="Binary: attributes as ce- headers, the data as the body. Structured: one JSON document that holds both."
        " Batched: a list of such documents, several events a request. Raw: the body alone.",
    )
    timeout: float = setting(
        default=10.0,
        description="Seconds for one attempt, from the name lookup to the end of the answer.",
        minimum=1,
        maximum=60,
    )
    headers: dict[str, Secret] = setting(
        default={}, description="Sent with every request, for example X-Team: checkout.", maxProperties=50
    )

    event_headers: dict[str, str] = setting(
        default={},
        title="Headers from the event",
        description="Headers with values of the event, as in X-Subject: ${subject}. What is no plain ASCII is"
        " percent-encoded; a header whose value the event lacks is left out.",
        maxProperties=50,
        template=True,
        group=REQUEST,
    )

    auth: Literal["none", "basic", "bearer", "api_key", "oauth2"] = setting(
        default="none",
        title="Authentication",
        description="How the target knows who is calling.",
        group=AUTH,
        labels={
            "none": "none",
            "basic": "Basic: user and password",
            "bearer": "Bearer token",
            "api_key": "API key",
            "oauth2": "OAuth 2.0 client credentials",
        },
    )
    username: str = setting(default="", maxLength=255, group=AUTH, needed=True, when={"auth": ["basic"]})
    password: Secret = setting(default=Secret(), maxLength=1024, group=AUTH, when={"auth": ["basic"]})
    token: Secret = setting(
        default=Secret(),
        title="Bearer token",
        maxLength=8192,
        group=AUTH,
        needed=True,
        when={"auth": ["bearer"]},
    )
    api_key_name: str = setting(
        default="X-API-Key",
        title="Name of the key",
        description="The header, or the parameter of the query, that carries it.",
        maxLength=120,
        group=AUTH,
        needed=True,
        when={"auth": ["api_key"]},
    )
    api_key: Secret = setting(
        default=Secret(), title="API key", maxLength=8192, group=AUTH, needed=True, when={"auth": ["api_key"]}
    )
    api_key_in: Literal["header", "query"] = setting(
        default="header",
        title="Where it goes",
        description="URLs end up in logs: choose the header where you can.",
        group=AUTH,
        when={"auth": ["api_key"]},
    )
    token_url: str = setting(
        default="",
        title="Token URL",
        description="Where access tokens are fetched; one is used until it ends.",
        format="uri",
        maxLength=2048,
        group=AUTH,
        needed=True,
        when={"auth": ["oauth2"]},
    )
    client_id: str = setting(
        default="", title="Client id", maxLength=1024, group=AUTH, needed=True, when={"auth": ["oauth2"]}
    )
    client_secret: Secret = setting(
        default=Secret(),
        title="Client secret",
        maxLength=8192,
        group=AUTH,
        needed=True,
        when={"auth": ["oauth2"]},
    )
    client_auth: Literal["basic", "post"] = setting(
        default="basic",
        title="The client shows its secret",
        description="client_secret_basic: in the Authorization header. client_secret_post: in the form.",
        group=AUTH,
        when={"auth": ["oauth2"]},
        labels={"basic": "client_secret_basic", "post": "client_secret_post"},
    )
    scope: str = setting(
        default="",
        description="Scopes with spaces between them, if the token needs any.",
        maxLength=2048,
        group=AUTH,
        when={"auth": ["oauth2"]},
    )
    audience: str = setting(
        default="",
        description="For servers that want to know whom the token is for.",
        maxLength=2048,
        group=AUTH,
        when={"auth": ["oauth2"]},
    )

    signing_keys: dict[str, Secret] = setting(
        default={},
        title="Signing keys",
        description="Standard Webhooks signatures: a name and a key a line, as in main: whsec_… (HMAC) or whsk_… (Ed25519)."
        " All of them sign. The target's page makes and replaces keys.",
        maxProperties=signing.MOST_KEYS,
        group=SIGNATURE,
    )
    signing_until: dict[str, str] = setting(
        default={},
        title="Keys that end",
        description="Until when an old key signs along, as in main: 2026-12-31T12:00:00Z.",
        group=SIGNATURE,
    )

    handshake: bool = setting(
        default=False,
        title="Ask for permission first",
        description="The CloudEvents webhook handshake: the target says whether it wants these events, and how many a"
        " minute. Nothing is sent before it agrees.",
        group=PERMISSION,
    )
    origin: str = setting(
        default="",
        title="Who asks",
        description="The DNS name that the target knows Signalbox by; without one, that of this Signalbox.",
        maxLength=253,
        group=PERMISSION,
        when={"handshake": [True]},
    )
    request_rate: int = setting(
        default=0,
        title="Events a minute to ask for",
        description="0 asks for no particular rate.",
        minimum=0,
        maximum=10_000_000,
        group=PERMISSION,
        when={"handshake": [True]},
    )

    ca: str = setting(
        default="",
        title="Own authority",
        description="Certificates in PEM form of the authorities that vouch for this target, instead of the public ones."
        " Certificates are always checked.",
        contentMediaType=PEM,
        maxLength=LONGEST_PEM,
        group=WAY,
    )
    mtls: bool = setting(
        default=False,
        title="Show a client certificate (mTLS)",
        description="For targets that ask for one.",
        group=WAY,
    )
    client_certificate: Secret = setting(
        default=Secret(),
        title="Client certificate",
        description="PEM, with those between it and its authority.",
        contentMediaType=PEM,
        maxLength=LONGEST_PEM,
        group=WAY,
        needed=True,
        when={"mtls": [True]},
    )
    client_key: Secret = setting(
        default=Secret(),
        title="Key of the client certificate",
        description="PEM, without a passphrase.",
        contentMediaType=PEM,
        maxLength=LONGEST_PEM,
        group=WAY,
        needed=True,
        when={"mtls": [True]},
    )
    proxy: str = setting(
        default="",
        description="http://proxy.example:3128, for this target instead of the one that the operator may have set.",
        format="uri",
        maxLength=2048,
        group=WAY,
    )

    @property
    def is_templated(self) -> bool:
        """Whether the URL depends on the event."""
        return is_template(self.url)

    @property
    def tls(self) -> TLS | None:
        """What differs from ordinary TLS; None when nothing does."""
        if not (self.ca or self.mtls):
            return None
        shown = (str(self.client_certificate), str(self.client_key)) if self.mtls else ("", "")
        return TLS(self.ca, *shown)

    @property
    def credentials(self) -> Credentials | None:
        """How access tokens are had; None when none are needed."""
        if self.auth != "oauth2":
            return None
        return Credentials(
            self.token_url,
            self.client_id,
            str(self.client_secret),
            self.scope,
            self.audience,
            self.client_auth,
        )

    def fixed_headers(self) -> list[tuple[str, str]]:
        """The headers of every request, authentication included."""
        headers = [(name, str(value)) for name, value in self.headers.items()]
        if self.auth == "basic":
            headers.append(("authorization", f"Basic {self._basic()}"))
        elif self.auth == "bearer":
            headers.append(("authorization", f"Bearer {self.token}"))
        elif self.auth == "api_key" and self.api_key_in == "header":
            headers.append((self.api_key_name, str(self.api_key)))
        return headers

    @property
    def has_key_in_query(self) -> bool:
        """Whether the API key is a parameter of the query."""
        return self.auth == "api_key" and self.api_key_in == "query"

    def with_key(self, target: str) -> str:
        """A path and query with the API key in it, where that is its place."""
        if not self.has_key_in_query:
            return target
        mark = "&" if "?" in target else "?"
        return f"{target}{mark}{quote(self.api_key_name, safe='')}={quote(str(self.api_key), safe='')}"

    def secret_texts(self) -> list[str]:
        """As in Config, and the forms that these secrets are sent in."""
        found = {*super().secret_texts()}
        if self.auth == "basic" and self.password:
            found.add(self._basic())
        if self.auth == "api_key" and len(self.api_key) > 3:
            found.add(quote(str(self.api_key), safe=""))
        return sorted(found, key=len, reverse=True)

    def problems(self) -> dict[str, str]:
        return problems_of(self)

    def _basic(self) -> str:
        return base64.b64encode(f"{self.username}:{self.password}".encode()).decode("ascii")
