"""Requests out, answers in: the only place that speaks HTTP."""

from __future__ import annotations

import http.client
import ipaddress
import json
import random
import socket
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Tuple, Union

from ._errors import (
    ConfigurationError,
    InvalidArgumentError,
    RequestTimeoutError,
    UnexpectedAnswerError,
    UnreachableError,
    problem,
)

#: The longest answer that is read, in bytes: far more than the largest list has.
LONGEST = 64 << 20
#: The longest pause before another attempt, in seconds, whatever the server wishes.
LONGEST_PAUSE = 5.0
#: Statuses after which a GET is tried again.
PASSING = frozenset({429, 502, 503, 504})

Query = Mapping[str, Union[str, int, bool, None]]


@dataclass(frozen=True)
class Answer:
    """A success as it came."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def next_cursor(self) -> Optional[str]:
        return self.headers.get("X-Next-Cursor") or None

    def json(self) -> Any:
        """The document; ``None`` for an empty body."""
        if not self.body.strip():
            return None
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise UnexpectedAnswerError(self.status, f"no JSON ({error})") from None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer like any other: the token goes nowhere else."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class Transport:
    """One server and who we are there."""

    def __init__(
        self,
        url: str,
        token: Optional[str],
        timeout: float,
        retries: int,
        backoff: float,
        context: Optional[ssl.SSLContext],
        user_agent: str,
    ) -> None:
        self.base, local = _checked(url)
        self._token = _token(token)
        self._timeout = timeout
        self._retries = retries
        self._backoff = backoff
        self._user_agent = user_agent
        handlers: List[urllib.request.BaseHandler] = [_NoRedirect()]
        if local:
            handlers.append(urllib.request.ProxyHandler({}))
        if context is not None:
            handlers.append(urllib.request.HTTPSHandler(context=context))
        self._opener = urllib.request.build_opener(*handlers)

    @property
    def has_token(self) -> bool:
        return self._token is not None

    def url(self, path: Tuple[str, ...], query: Optional[Query] = None) -> str:
        """A route. Each part of the path is one segment, whatever characters it has."""
        for part in path:
            if part in ("", ".", ".."):
                # A server or a proxy would resolve these, and the request would go to another route.
                raise InvalidArgumentError(f"nothing can be called {part!r}")
        url = self.base + "".join("/" + urllib.parse.quote(part, safe="") for part in path)
        given = {name: _word(value) for name, value in (query or {}).items() if value is not None}
        return f"{url}?{urllib.parse.urlencode(given)}" if given else url

    def request(
        self,
        method: str,
        path: Tuple[str, ...],
        query: Optional[Query] = None,
        body: Optional[bytes] = None,
        headers: Optional[Mapping[str, str]] = None,
        accept: Tuple[int, ...] = (),
        anonymous: bool = False,
        patience: float = 0.0,
    ) -> Answer:
        """Sends (``anonymous``: without the token), and takes a success or a status of ``accept`` for an answer.

        ``patience`` is how long to wait at least, in seconds, for what takes the server longer than most.

        Only a GET is tried again, and so often as was agreed: anything else may have been carried out.
        """
        request = self._prepared(method, self.url(path, query), body, headers, anonymous)
        attempts = 1 + (self._retries if method == "GET" else 0)
        for attempt in range(attempts):
            last = attempt + 1 == attempts
            try:
                answer = self._once(request, max(self._timeout, patience))
            except (UnreachableError, RequestTimeoutError):
                if last:
                    raise
                self._pause(attempt, None)
                continue
            if 200 <= answer.status < 300 or (answer.status in accept and not _is_problem(answer)):
                return answer
            if last or answer.status not in PASSING:
                raise _refused(answer)
            self._pause(attempt, answer.headers.get("Retry-After"))
        raise AssertionError("unreachable")

    def open(
        self, path: Tuple[str, ...], query: Query, headers: Mapping[str, str], timeout: float
    ) -> http.client.HTTPResponse:
        """The answer to a GET, which is read by the caller, who closes it."""
        request = self._prepared("GET", self.url(path, query), None, headers)
        try:
            response = self._opener.open(request, timeout=timeout)
        except urllib.error.HTTPError as error:
            with error:
                raise _refused(self._read(error, time.monotonic() + self._timeout)) from None
        except (OSError, http.client.HTTPException) as error:
            raise self._failed(error) from None
        assert isinstance(response, http.client.HTTPResponse)
        return response

    def _once(self, request: urllib.request.Request, timeout: float) -> Answer:
        deadline = time.monotonic() + timeout
        try:
            with self._opener.open(request, timeout=timeout) as response:
                return self._read(response, deadline)
        except urllib.error.HTTPError as error:
            with error:
                return self._read(error, deadline)
        except (OSError, http.client.HTTPException) as error:
            raise self._failed(error) from None

    def _prepared(
        self,
        method: str,
        url: str,
        body: Optional[bytes],
        headers: Optional[Mapping[str, str]],
        anonymous: bool = False,
    ) -> urllib.request.Request:
        sent: Dict[str, str] = {"User-Agent": self._user_agent, "Accept": "application/json"}
        if body is not None:
            sent["Content-Type"] = "application/json"
        sent.update(headers or {})
        request = urllib.request.Request(url, data=body, headers=sent, method=method)
        if self._token is not None and not anonymous:
            request.add_unredirected_header("Authorization", f"Bearer {self._token}")
        return request

    def _read(self, response: Any, deadline: float) -> Answer:
        chunks: List[bytes] = []
        size = 0
        try:
            while True:
                chunk = response.read1(1 << 16)
                if not chunk:
                    break
                size += len(chunk)
                chunks.append(chunk)
                if size > LONGEST:
                    raise UnexpectedAnswerError(response.status, f"more than {LONGEST >> 20} MiB")
                if time.monotonic() > deadline:
                    raise RequestTimeoutError(f"{self.base} did not answer in time")
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, RequestTimeoutError):
                raise
            raise self._failed(error) from None
        return Answer(response.status, response.headers, b"".join(chunks))

    def _failed(self, error: BaseException) -> Exception:
        cause = error.reason if isinstance(error, urllib.error.URLError) else error
        if isinstance(cause, (socket.timeout, TimeoutError)):
            return RequestTimeoutError(f"{self.base} did not answer in time")
        return UnreachableError(f"cannot reach {self.base}: {cause or type(cause).__name__}")

    def _pause(self, attempt: int, wished: Optional[str]) -> None:
        pause = self._backoff * 2.0**attempt * random.uniform(0.8, 1.2)
        if wished is not None and wished.isdigit():
            pause = max(pause, float(wished))
        time.sleep(min(pause, LONGEST_PAUSE))


def _checked(url: str) -> Tuple[str, bool]:
    """The URL without its last slash, and whether it is this machine, which no proxy leads to."""
    url = url.strip()
    if any(c <= " " or c == "\x7f" for c in url):
        raise ConfigurationError("the URL has white space or control characters")
    try:
        parts = urllib.parse.urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigurationError(f"the URL is none ({error}); write http://HOST:PORT") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ConfigurationError("the URL is none of a server; write http://HOST:PORT")
    if "@" in parts.netloc:
        raise ConfigurationError("the URL has a user name or password; give a token instead")
    if parts.query or parts.fragment:
        raise ConfigurationError("the URL has a query or a fragment; leave out what follows the path")
    base = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
    return base, _is_local(host)


def _is_local(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _token(token: Optional[str]) -> Optional[str]:
    if token is None:
        return None
    token = token.strip()
    if not token or not all("!" <= c <= "~" for c in token):
        raise ConfigurationError("the token is empty or has characters that no token has; copy it again")
    return token


def _word(value: Union[str, int, bool, None]) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_problem(answer: Answer) -> bool:
    return str(answer.headers.get("Content-Type", "")).startswith("application/problem+json")


def _refused(answer: Answer) -> Exception:
    if 300 <= answer.status < 400:
        target = answer.headers.get("Location")
        return UnexpectedAnswerError(answer.status, f"it redirects to {target}, which is not followed")
    request_id = answer.headers.get("X-Request-Id")
    try:
        document = json.loads(answer.body)
    except ValueError:
        document = None
    if isinstance(document, dict):
        return problem(answer.status, document, request_id)
    if answer.status in (401, 503):
        # Whoever says so, a proxy perhaps: callers treat it alike.
        return problem(answer.status, {"title": http.client.responses[answer.status]}, request_id)
    said = answer.body[:200].decode("utf-8", "replace").strip()
    return UnexpectedAnswerError(answer.status, said or http.client.responses.get(answer.status, "no reason given"))
