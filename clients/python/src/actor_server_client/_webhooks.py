"""Signatures of events, as the Standard Webhooks specification says."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import datetime, timezone
from typing import Dict, Optional, Union

from ._errors import InvalidArgumentError


def sign_event(
    secret: Union[str, bytes],
    message_id: str,
    body: Union[str, bytes],
    at: Optional[datetime] = None,
) -> Dict[str, str]:
    """The headers that make a body acceptable to ``POST /api/v1/events`` without a token.

    ``secret`` is the server's ``events_secret``: text, or ``whsec_`` and base64. ``at`` is now unless it is given; the
    server accepts what is at most five minutes off. The body has to be sent byte for byte as it was signed.

    >>> at = datetime.fromtimestamp(1614265330, timezone.utc)
    >>> headers = sign_event(
    ...     "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", '{"test": 2432232314}', at
    ... )
    >>> headers["webhook-signature"]
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    if not message_id or not message_id.isascii() or not message_id.isprintable():
        raise InvalidArgumentError("the message id has to be printable ASCII text")
    data = body.encode("utf-8") if isinstance(body, str) else body
    timestamp = str(int((at or datetime.now(timezone.utc)).timestamp()))
    signed = f"{message_id}.{timestamp}.".encode("ascii") + data
    digest = hmac.new(_key(secret), signed, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": "v1," + base64.b64encode(digest).decode("ascii"),
    }


def _key(secret: Union[str, bytes]) -> bytes:
    data = secret.encode("utf-8") if isinstance(secret, str) else secret
    key = data
    if data.startswith(b"whsec_"):
        try:
            key = base64.b64decode(data[len(b"whsec_") :], validate=True)
        except binascii.Error:
            raise InvalidArgumentError("the secret is not base64 behind `whsec_`") from None
    if not key:
        raise InvalidArgumentError("the secret is empty")
    return key
