"""What schemathesis can't know of the API.

An idempotency key that is sent with two different requests is refused, as it should be. Made-up keys are short, so
nearly all requests would be: in requests that are valid, the key is replaced by one of its own.

Where a body may be left out, `null` is taken for none, since clients that openapi-generator makes for Rust send it. The
document does not say so, because clients of other generators could not leave the body out then. So a body of another type
than the right one is a number instead.
"""

import uuid

import schemathesis

FIELD = "Idempotency-Key"


@schemathesis.hook
def before_call(context, case, kwargs):
    is_valid = case.meta is None or case.meta.generation.mode.is_positive
    if is_valid and FIELD in (case.headers or {}):
        case.headers[FIELD] = str(uuid.uuid4())
    if case.body is None:
        case.body = 0
