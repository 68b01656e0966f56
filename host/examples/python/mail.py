"""The import `email`: each message becomes a file in a folder, named by its id. A real host passes it to its mail system
instead. A message whose id comes again is the same message."""

import re
from datetime import datetime, timezone
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

from wasmtime.component import Record

from wit import Refusal

ID = re.compile(r"[A-Za-z0-9._-]{1,200}")


class MailFolder:
    """Writes messages of one organization."""

    def __init__(self, folder: Path, sender: str = "insomnia@localhost") -> None:
        self.folder = folder
        self.sender = sender
        folder.mkdir(parents=True, exist_ok=True)

    def send(self, message: Record) -> None:
        """Writes the message. The file is written as a whole or not at all."""
        if not ID.fullmatch(message.id):
            raise Refusal("rejected", "the message's id is not fit for a file's name")
        letter = EmailMessage()
        try:
            letter["From"] = self.sender
            letter["To"] = message.to
            letter["Subject"] = message.subject
            letter["Message-ID"] = f"<{message.id}@localhost>"
            letter["Date"] = format_datetime(datetime.fromtimestamp(message.date / 1000, timezone.utc))
            letter.set_content(message.text)
            letter.add_alternative(message.html, subtype="html")
            text = letter.as_bytes()
        except ValueError as error:  # A header with a line break, or an address that is none.
            raise Refusal("rejected", str(error)) from error
        unfinished = self.folder / f"{message.id}.unfinished"
        unfinished.write_bytes(text)
        unfinished.replace(self.folder / f"{message.id}.eml")
