"""Tests the imports besides storage: secrets, email, and requests to others."""

import tempfile
import threading
import time
import unittest
from contextlib import contextmanager
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from mail import MailFolder
from outgoing import Outgoing, is_public
from sealing import Sealing, load_key
from wit import Refusal, record


class Capabilities(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.folder = Path(directory.name)

    @contextmanager
    def refused(self, tag: str):
        with self.assertRaises(Refusal) as raised:
            yield
        self.assertEqual(raised.exception.tag, tag)

    def test_what_is_sealed_is_opened_by_the_same_organization_alone(self) -> None:
        path = self.folder / "secrets.key"
        key = load_key(path)
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        self.assertEqual(load_key(path), key)
        acme = Sealing(key, "acme")
        for plain in (b"", b"\x00\xff\n"):
            sealed = acme.seal(plain)
            self.assertEqual(acme.open(sealed), plain)
            self.assertNotEqual(acme.seal(plain), sealed, "a nonce is used once")
            with self.refused("not-authentic"):
                Sealing(key, "other").open(sealed)
            for at in range(len(sealed)):
                with self.refused("not-authentic"):
                    acme.open(sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :])
                with self.refused("not-authentic"):
                    acme.open(sealed[:at])

    def test_a_message_is_a_file_that_is_there_once(self) -> None:
        mail = MailFolder(self.folder)
        fields = dict(id="01-a", date=0, to="a@acme.example", subject="Grüße 🦊", text="Hello", html="<p>Hello")
        mail.send(record(**fields))
        mail.send(record(**fields))
        self.assertEqual([file.name for file in self.folder.iterdir()], ["01-a.eml"])
        letter = message_from_bytes((self.folder / "01-a.eml").read_bytes(), policy=policy.default)
        self.assertEqual((letter["subject"], letter["to"]), ("Grüße 🦊", "a@acme.example"))
        self.assertEqual(letter["date"].datetime.timestamp(), 0)
        self.assertEqual(letter.get_body(("plain",)).get_content().strip(), "Hello")
        for wrong in ({"id": "../b"}, {"to": "a@b\r\nBcc: c@d"}, {"subject": "a\nb"}):
            with self.refused("rejected"):
                mail.send(record(**{**fields, **wrong}))

    def test_only_the_public_internet_is_reached(self) -> None:
        for address in ("8.8.8.8", "2606:4700::1111"):
            self.assertTrue(is_public(address), address)
        private = "127.0.0.1 10.1.2.3 169.254.169.254 192.168.0.1 100.64.0.1 0.0.0.0 224.0.0.1 255.255.255.255"
        for address in f"{private} ::1 :: fe80::1 fd00::1 ::ffff:127.0.0.1 64:ff9b::7f00:1 2002:7f00:1:: ff02::1".split():
            self.assertFalse(is_public(address), address)
        for url in ("https://127.0.0.1/", "https://[::1]/", "https://localhost/", "http://8.8.8.8/"):
            with self.subTest(url=url), self.refused("not-allowed"):
                ask(Outgoing(), url)
        for url in ("ftp://8.8.8.8/", "nothing", "", "https://8.8.8.8:none/"):
            with self.subTest(url=url), self.refused("invalid"):
                ask(Outgoing(), url)

    def test_a_response_is_whole_or_refused(self) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(2)
                if self.path == "/silent":
                    time.sleep(1)
                    return
                if self.path == "/large":
                    body = b"x" * ((1 << 20) + 1)
                self.send_response(302 if self.path == "/redirect" else 201)
                self.send_header("Location", "http://10.0.0.1/")
                self.send_header("X-Field", self.headers["x-a"])
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever).start()
        base = f"http://127.0.0.1:{server.server_port}"
        outgoing = Outgoing(private=True)
        try:
            response = ask(outgoing, f"{base}/echo")
            self.assertEqual((response.status, response.body), (201, b"\x01\x02"))
            self.assertIn(("x-field", "b"), response.headers)
            self.assertEqual(ask(outgoing, f"{base}/redirect").status, 302)
            with self.refused("too-large"):
                ask(outgoing, f"{base}/large")
            with self.refused("timeout"):
                ask(outgoing, f"{base}/silent", timeout_milliseconds=100)
            with self.refused("invalid"):
                ask(outgoing, f"{base}/echo", method="TRACE")
            with self.refused("invalid"):
                ask(outgoing, f"{base}/echo", headers=[("x-a", "b\r\nc: d")])
        finally:
            server.shutdown()
            server.server_close()
        with self.refused("unreachable"):
            ask(outgoing, f"{base}/echo")


def ask(outgoing: Outgoing, url: str, **more: object) -> object:
    fields = dict(method="POST", url=url, headers=[("x-a", "b")], body=b"\x01\x02", timeout_milliseconds=None)
    return outgoing.send(record(**{**fields, **more}))


if __name__ == "__main__":
    unittest.main()
