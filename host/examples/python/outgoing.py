"""The import `http`: one HTTPS request to a public address, with a deadline and a size limit.

The name is resolved once, the address is checked, and the connection goes to exactly this address. So it does not matter if
the name resolves to another address a moment later. Redirects are not followed, so none can lead to an unchecked address. The
component gets the redirect as the response.
"""

import http.client
import ipaddress
import socket
import ssl
import time
from urllib.parse import urlsplit

from wasmtime.component import Record

from wit import Refusal, record

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
SECONDS = 30.0
RESPONSE_BYTES = 1 << 20
# The public addresses of IPv6.
UNICAST = ipaddress.ip_network("2000::/3")


class Outgoing:
    """Sends requests. `private` permits `http:` and addresses that are not public, for tests on one machine."""

    def __init__(self, private: bool = False) -> None:
        self.private = private
        self.tls = ssl.create_default_context()

    def send(self, request: Record) -> Record:
        """Sends the request and reads the whole response, of whatever status."""
        asked = getattr(request, "timeout-milliseconds")
        seconds = SECONDS if asked is None else min(SECONDS, asked / 1000)
        deadline = time.monotonic() + seconds
        url = urlsplit(request.url)
        if request.method not in METHODS or url.hostname is None or url.scheme not in ("https", "http"):
            raise Refusal("invalid", "the method or the URL")
        if url.scheme == "http" and not self.private:
            raise Refusal("not-allowed", "only https is permitted")
        try:
            port = url.port or (443 if url.scheme == "https" else 80)
            connection = http.client.HTTPConnection(url.hostname, port)
            connection.sock = self._connect(url.hostname, port, url.scheme == "https", deadline)
        except ValueError as error:
            raise Refusal("invalid", str(error)) from error
        except (TimeoutError, socket.timeout) as error:
            raise Refusal("timeout") from error
        except OSError as error:
            raise Refusal("unreachable", str(error)) from error
        try:
            path = (url.path or "/") + (f"?{url.query}" if url.query else "")
            connection.request(request.method, path, bytes(request.body), dict(request.headers))
            response = connection.getresponse()
            body = read(response, connection.sock, deadline)
            headers = [(name.lower(), value) for name, value in response.getheaders()]
            return record(status=response.status, headers=headers, body=body)
        except (TimeoutError, socket.timeout) as error:
            raise Refusal("timeout") from error
        except (OSError, http.client.HTTPException) as error:
            raise Refusal("unreachable", str(error)) from error
        except ValueError as error:  # A header field with a line break.
            raise Refusal("invalid", str(error)) from error
        finally:
            connection.close()

    def _connect(self, host: str, port: int, tls: bool, deadline: float) -> socket.socket:
        addresses = [address[4][0] for address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        for address in addresses:
            if not self.private and not is_public(address):
                raise Refusal("not-allowed", f"{address} is not public")
        connection = socket.create_connection((addresses[0], port), timeout=max(0.001, deadline - time.monotonic()))
        return self.tls.wrap_socket(connection, server_hostname=host) if tls else connection


def is_public(address: str) -> bool:
    """Whether the address belongs to the public internet."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address) and (ip not in UNICAST or ip.sixtofour or ip.teredo):
        return False  # An address outside, or of a tunnel, which may carry an IPv4 address that is not public.
    return ip.is_global and not ip.is_multicast


def read(response: http.client.HTTPResponse, connection: socket.socket | None, deadline: float) -> bytes:
    """The body, within the bound and the deadline."""
    body = b""
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            raise Refusal("timeout")
        if connection is not None:
            connection.settimeout(left)
        chunk = response.read1(65_536)
        if not chunk:
            return body
        body += chunk
        if len(body) > RESPONSE_BYTES:
            raise Refusal("too-large")
