"""Values of the WIT's types, as the package `wasmtime` wants them."""

from wasmtime.component import Record


def record(**fields: object) -> Record:
    """A record with these fields. In Python's names an underscore stands for the hyphen of the WIT: `request_id` is the
    field `request-id`. Every field must be given, an `option` as `None`."""
    made = Record()
    for name, value in fields.items():
        setattr(made, name.replace("_", "-"), value)
    return made
