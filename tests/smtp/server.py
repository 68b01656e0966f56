"""An SMTP server with TLS and sign-in, for the tests: `server.py CERTIFICATE KEY implicit|starttls PORT`.

Port 0 is any that is free. It prints its port, and then each message that it takes as one line of JSON. The user is `mailer`, the password is in
the environment variable PASSWORD.
"""

import asyncio
import json
import logging
import os
import ssl
import sys
import warnings

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


# The tests provoke what it would complain of.
logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 5.1.1 no such user"
        if address.startswith("later@"):
            return "451 4.7.1 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        taken = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "tls": server.transport.get_extra_info("ssl_object") is not None,
            "signed_in": bool(session.authenticated),
            "message": envelope.content.decode(),
        }
        print(json.dumps(taken), flush=True)
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    right = LoginPassword(b"mailer", os.environ["PASSWORD"].encode())
    # Not handled: aiosmtpd then answers 535 itself.
    return AuthResult(success=data == right, handled=False)


async def main(certificate, key, mode, port):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    implicit = mode == "implicit"

    def protocol():
        return SMTP(
            Handler(),
            hostname="localhost",
            authenticator=authenticate,
            auth_required=True,
            # Over implicit TLS aiosmtpd does not know that the connection is secure.
            auth_require_tls=not implicit,
            tls_context=None if implicit else tls,
            require_starttls=not implicit,
        )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(protocol, "127.0.0.1", int(port), ssl=tls if implicit else None)
    print(server.sockets[0].getsockname()[1], flush=True)
    # The test that started it holds the other end of stdin: its end is the server's end, too.
    await loop.run_in_executor(None, sys.stdin.read)
    os._exit(0)


asyncio.run(main(*sys.argv[1:]))
