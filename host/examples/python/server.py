"""The HTTP server: `/scim/v2/ORGANIZATION/…` is the connector URL of an organization.

It speaks plain HTTP. Put a proxy that ends TLS in front of it. Python's `http.server` is good enough for an example and for
tests. Your backend calls `serve` from its own framework instead.
"""

import json
import logging
import secrets
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

from organization import ComponentFailed, Organization
from wit import record

log = logging.getLogger(__name__)

PREFIX = "/scim/v2/"
# The largest body that the component accepts.
BODY_BYTES = 16 << 20
# Larger bodies are read only from callers with a token.
STRANGERS_BODY_BYTES = 64 << 10
# Limits for the lines that frame a chunked body.
LINE_BYTES = 8_192
TRAILERS = 100


class BodyRefused(Exception):
    """A body that is not read. The status says why."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def server(
    address: tuple[str, int], organizations: Mapping[str, Organization], base_url: str | None
) -> ThreadingHTTPServer:
    """A server that is bound to the address and serves when `serve_forever` is called."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version = "scim"
        timeout = 60
        # Head and body are written one after the other. Without this setting the body waits until the client has confirmed the
        # head, which takes 40 ms.
        disable_nagle_algorithm = True

        def serve(self) -> None:
            path, _, query = self.path.partition("?")
            id, slash, rest = path.removeprefix(PREFIX).partition("/")
            organization = organizations.get(unquote(id)) if path.startswith(PREFIX) else None
            if organization is None:
                return self.refuse(404, "There is no such organization.")
            request_id = secrets.token_hex(16)
            try:
                request = record(
                    method=self.command,
                    path=slash + rest,
                    query=query if "?" in self.path else None,
                    headers=[(name.lower(), value) for name, value in self.headers.items()],
                    body=self.body(organization),
                    base_url=f"{base_url or f'http://{address[0]}:{self.server.server_port}'}{PREFIX}{id}",
                    request_id=request_id,
                    sender_address=self.client_address[0],
                )
                response = organization.requests.call("scim", "handle", request)
            except BodyRefused as refused:
                self.close_connection = True  # The unread part of the body is still in the connection.
                return self.refuse(refused.status, refused.detail)
            except ComponentFailed:
                return self.refuse(500, f"An internal error; it is in the log with the request id {request_id}.")
            self.answer(response.status, response.headers, response.body)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = serve

        def body(self, organization: Organization) -> bytes:
            """The request's body. A large body is read only from a caller with a valid token."""
            body = bytearray()
            is_admitted = False
            for size in self.chunks():
                if len(body) + size > BODY_BYTES:
                    raise BodyRefused(413, "The body is larger than 16 MiB.")
                if len(body) + size > STRANGERS_BODY_BYTES and not is_admitted:
                    authorization = self.headers.get("authorization")
                    is_admitted = organization.requests.call("scim", "admits", authorization)
                    if not is_admitted:
                        raise BodyRefused(401, "The token is missing or not valid.")
                part = self.rfile.read(size)
                if len(part) < size:
                    raise BodyRefused(400, "The body has ended early.")
                body += part
            return bytes(body)

        def chunks(self) -> Iterator[int]:
            """The sizes of the parts in which the body comes (RFC 9112 §7.1): one, or those of a chunked body."""
            coding = self.headers.get("transfer-encoding")
            try:
                if coding is None:
                    yield natural(self.headers.get("content-length", "0"), 10)
                    return
                if coding.lower() != "chunked":
                    raise BodyRefused(501, "Of transfer codings only chunked is served.")
                while size := natural(self.rfile.readline(LINE_BYTES).decode("latin-1").split(";")[0].strip(), 16):
                    yield size
                    self.rfile.readline(LINE_BYTES)
                for _ in range(TRAILERS):
                    if not self.rfile.readline(LINE_BYTES).strip():
                        return
                raise BodyRefused(400, "The body has too many trailer fields.")
            except ValueError:
                raise BodyRefused(400, "The size of the body is no number.") from None

        def refuse(self, status: int, detail: str) -> None:
            error = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": str(status), "detail": detail}
            self.answer(status, [("content-type", "application/scim+json")], json.dumps(error).encode())

        def answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            if status != 204 and not any(name == "content-length" for name, _ in headers):
                self.send_header("content-length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
            """Answers requests that the module itself refuses, such as a line that is no HTTP, with a SCIM error instead
            of HTML."""
            self.close_connection = True
            self.refuse(code, message or "The request is not valid.")

        def log_message(self, format: str, *arguments: object) -> None:
            log.debug(format, *arguments)

    class Server(ThreadingHTTPServer):
        daemon_threads = True  # Idle connections do not hold up a stop; `Organization.close` waits for calls under way.
        request_queue_size = 128

    return Server(address, Handler)


def natural(text: str, base: int) -> int:
    """The number in the text, which must consist of digits alone: Python's own `int` takes signs, spaces and underscores
    as well."""
    if not text.isascii() or not text.isalnum():
        raise ValueError("no number")
    return int(text, base)
