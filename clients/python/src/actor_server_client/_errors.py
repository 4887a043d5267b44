"""What can go wrong between a client and its server."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Type


class ActorServerError(Exception):
    """The root of everything that this package raises on purpose."""


class ConfigurationError(ActorServerError, ValueError):
    """The URL or the token can be none."""


class InvalidArgumentError(ActorServerError, ValueError):
    """An argument of a method can be none."""


class UnreachableError(ActorServerError):
    """There is no server, or no way to it."""


class RequestTimeoutError(ActorServerError, TimeoutError):
    """The answer did not come in time; whether the request was carried out is not known."""


class UnexpectedAnswerError(ActorServerError):
    """Whoever answered is not the control API, or one that this client does not understand."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"unexpected answer ({status}): {reason}")
        self.status = status
        self.reason = reason


class ProblemError(ActorServerError):
    """The server says no, with a problem document (RFC 9457)."""

    def __init__(self, status: int, document: Mapping[str, Any], request_id: Optional[str] = None) -> None:
        self.status = status
        self.type: str = _text(document, "type") or "about:blank"
        self.title: str = _text(document, "title") or ""
        self.detail: str = _text(document, "detail") or self.title
        #: The answer's ``X-Request-Id``, by which the server's log knows the request.
        self.request_id: Optional[str] = _text(document, "request_id") or request_id
        errors = document.get("errors")
        #: Every single problem, where there are several.
        self.errors: List[str] = [str(one) for one in errors] if isinstance(errors, list) else []
        #: The whole document.
        self.document: Dict[str, Any] = dict(document)
        super().__init__(status, dict(document), request_id)

    def __str__(self) -> str:
        known = f", request {self.request_id}" if self.request_id else ""
        lines = [f"{self.detail} ({self.status} {self.title}{known})", *self.errors]
        return "\n  ".join(lines)


class BadRequestError(ProblemError):
    """400: a parameter or the body is wrong."""


class UnauthorizedError(ProblemError):
    """401: there is no token, or the server does not accept it. ``actor-server token`` makes one."""


class ForbiddenError(ProblemError):
    """403: the token's role is too low."""


class NotFoundError(ProblemError):
    """404: there is no such thing."""


class ConflictError(ProblemError):
    """409: not in this state, such as a run that has ended."""


class UnprocessableError(ProblemError):
    """422: understood, and refused with every problem in ``errors``."""


class TooManyRequestsError(ProblemError):
    """429: more requests than the server's limit."""


class UnavailableError(ProblemError):
    """503: not now (starting, stopping, the database is away), or control routes are closed for want of a key."""


_BY_STATUS: Dict[int, Type[ProblemError]] = {
    400: BadRequestError,
    401: UnauthorizedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    422: UnprocessableError,
    429: TooManyRequestsError,
    503: UnavailableError,
}


def problem(status: int, document: Mapping[str, Any], request_id: Optional[str]) -> ProblemError:
    """The error of an answer with this status."""
    return _BY_STATUS.get(status, ProblemError)(status, document, request_id)


def _text(document: Mapping[str, Any], key: str) -> Optional[str]:
    value = document.get(key)
    return value if isinstance(value, str) else None
