"""Values of the WIT's types, in the forms of the package `wasmtime`, and refusals.

The package takes `bytes` for `list<u8>`, `str` for a string or an enum, `int` for numbers, `None` for an absent option, a
`Record` with the fields' names for a record, and a `Variant(tag, payload)` for a variant. A result is its value or its
error, without anything around it.
"""

from wasmtime.component import Record, Variant

# The release of the contract that this host serves: the version in the names of imports and exports.
VERSION = "1.0.0"


def record(**fields: object) -> Record:
    """A record with these fields. In Python's names an underscore stands for the hyphen of the WIT: `request_id` is the
    field `request-id`. Every field must be given, an `option` as `None`."""
    made = Record()
    for name, value in fields.items():
        setattr(made, name.replace("_", "-"), value)
    return made


class Refusal(Exception):
    """A refusal of a call by an import: a case of the interface's error variant, with its value."""

    def __init__(self, tag: str, payload: object = None) -> None:
        super().__init__(tag, payload)
        self.tag = tag
        self.payload = payload

    def value(self) -> Variant:
        """The value for the component."""
        return Variant(self.tag, self.payload)
