"""The live stream: what happens, as it happens, also across cut connections."""

from __future__ import annotations

import http.client
import json
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Dict, Iterator, List, Optional, Type

from ._errors import (
    ActorServerError,
    ProblemError,
    RequestTimeoutError,
    UnexpectedAnswerError,
    UnreachableError,
)
from ._transport import Query, Transport

#: The first pause before a new connection, in seconds; the server may name another.
FIRST_PAUSE = 1.0
#: The longest pause, in seconds.
LONGEST_PAUSE = 30.0
#: The longest event, in bytes; a server that sends more is cut off.
LONGEST_EVENT = 1 << 20


@dataclass(frozen=True)
class Happening:
    """Something that has happened."""

    #: By which a later stream is resumed behind it.
    id: Optional[str]
    #: What kind of thing.
    kind: str
    #: The rest, as it came.
    data: str

    def json(self) -> Any:
        """The rest as a value; ``None`` if it is no JSON."""
        try:
            return json.loads(self.data)
        except ValueError:
            return None


class Stream(Iterator[Happening]):
    """Iterates over what happens, for ever.

    The first connection must come about. After that a cut one is made anew, with growing pauses, from the last event on
    that was seen; only an answer that says no (a token that has expired, say) ends the iteration, with its error.
    """

    def __init__(self, transport: Transport, query: Query, last_event_id: Optional[str], silence: float) -> None:
        self._transport = transport
        self._query = query
        self._silence = silence
        self._response: Optional[http.client.HTTPResponse] = None
        self._was_open = False
        self._closed = False
        self._first_pause = FIRST_PAUSE
        self._pause = FIRST_PAUSE
        #: The id of the last event, by which another stream can go on.
        self.last_event_id = last_event_id

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> Happening:
        while not self._closed:
            if self._response is None:
                self._connect()
                continue
            happening = self._from_connection(self._response)
            if happening is not None:
                self._pause = self._first_pause
                return happening
            self._cut()
        raise StopIteration

    def close(self) -> None:
        """Ends the stream."""
        self._closed = True
        self._cut()

    def __enter__(self) -> Stream:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()

    def _cut(self) -> None:
        if self._response is not None:
            self._response.close()
            self._response = None

    def _connect(self) -> None:
        if self._was_open:
            time.sleep(self._pause)
            self._pause = min(self._pause * 2, LONGEST_PAUSE)
        headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
        if self.last_event_id and self.last_event_id.isascii() and self.last_event_id.isprintable():
            headers["Last-Event-ID"] = self.last_event_id
        try:
            response = self._transport.open(("api", "v1", "stream"), self._query, headers, self._silence)
        except ActorServerError as error:
            if self._was_open and _may_pass(error):
                return
            raise
        kind = str(response.headers.get("Content-Type", ""))
        if not kind.startswith("text/event-stream"):
            response.close()
            raise UnexpectedAnswerError(response.status, f"no event stream, but {kind or 'nothing'}")
        self._response = response
        self._was_open = True

    def _from_connection(self, response: http.client.HTTPResponse) -> Optional[Happening]:
        """The next event of the open connection; ``None`` when it was cut."""
        fields: Dict[str, str] = {}
        data: List[str] = []
        size = 0
        try:
            for line in iter(lambda: response.readline(LONGEST_EVENT), b""):
                size += len(line)
                if not line.endswith(b"\n") or size > LONGEST_EVENT:
                    return None
                text = line.decode("utf-8", "replace").rstrip("\r\n").lstrip("\ufeff")
                if text:
                    self._field(text, fields, data)
                    continue
                if "id" in fields:
                    # Also without data: then it only says how far the stream is.
                    self.last_event_id = fields["id"] or None
                if data:
                    return Happening(fields.get("id"), fields.get("event") or "message", "\n".join(data))
                fields, size = {}, 0
        except (OSError, http.client.HTTPException, ValueError):
            return None
        return None

    def _field(self, line: str, fields: Dict[str, str], data: List[str]) -> None:
        name, _, value = line.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if name == "data":
            data.append(value)
        elif name == "event" or (name == "id" and "\0" not in value):
            fields[name] = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self._first_pause = min(int(value) / 1000, LONGEST_PAUSE)


def _may_pass(error: ActorServerError) -> bool:
    """Whether a later attempt may be answered otherwise."""
    if isinstance(error, (ProblemError, UnexpectedAnswerError)):
        return error.status == 429 or error.status >= 500
    return isinstance(error, (UnreachableError, RequestTimeoutError))
