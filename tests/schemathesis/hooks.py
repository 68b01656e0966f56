"""What schemathesis can't know of the API.

An idempotency key that is sent with two different requests is refused, as it should be. Made-up keys are short, so
nearly all requests would be: in requests that are valid, the key is replaced by one of its own.
"""

import uuid

import schemathesis

FIELD = "Idempotency-Key"


@schemathesis.hook
def before_call(context, case, kwargs):
    is_valid = case.meta is None or case.meta.generation.mode.is_positive
    if is_valid and FIELD in (case.headers or {}):
        case.headers[FIELD] = str(uuid.uuid4())
