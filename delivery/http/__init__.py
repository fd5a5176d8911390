"""Our HTTP/1.1 client for deliveries, and the policy that says which addresses it may connect to.

Pure asyncio + httptools, no Django; nothing here knows what an event is. What it does for security: DESIGN.md, "Delivery".
"""

from delivery.http.address import AddressPolicy, ParsedURL
from delivery.http.client import Client
from delivery.http.endpoint import Endpoint
from delivery.http.errors import Blocked, DeliveryError
from delivery.http.headers import InvalidHeader
from delivery.http.response import Response, Timings
from delivery.http.tls import TLS, InvalidPEM

__all__ = [
    "TLS",
    "AddressPolicy",
    "Blocked",
    "Client",
    "DeliveryError",
    "Endpoint",
    "InvalidHeader",
    "InvalidPEM",
    "ParsedURL",
    "Response",
    "Timings",
]
