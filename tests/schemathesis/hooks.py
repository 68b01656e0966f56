"""What schemathesis can't know of the API.

An idempotency key that is sent with two different requests is refused, as it should be. Made-up keys are short, so
nearly all requests would be: a valid key is replaced by one of its own for each request.
"""

import uuid

import schemathesis

FIELD = "Idempotency-Key"


@schemathesis.hook
def before_call(context, case, kwargs):
    key = (case.headers or {}).get(FIELD)
    if isinstance(key, str) and 0 < len(key) <= 255 and all("!" <= character <= "~" for character in key):
        case.headers[FIELD] = str(uuid.uuid4())
