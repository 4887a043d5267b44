"""A method for every route."""

from __future__ import annotations

import json
import os
import ssl
import time
import uuid
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, Mapping, Optional, Tuple, Type, TypeVar, Union

from ._errors import ConfigurationError, InvalidArgumentError, RequestTimeoutError, UnexpectedAnswerError
from ._models import (
    Actor,
    ActorStatus,
    Added,
    Alerts,
    AlertTests,
    AuditEntry,
    Cancelling,
    ContentItem,
    EventAccepted,
    Execution,
    Health,
    KnowledgeTable,
    Post,
    Probe,
    Reload,
    Removed,
    Resumed,
    Supervision,
    Triggered,
    decode,
    write_time,
)
from ._pages import Page, items_of
from ._stream import Stream
from ._transport import Answer, Query, Transport
from ._version import __version__
from ._webhooks import sign_event

T = TypeVar("T")

DEFAULT_URL = "http://127.0.0.1:3000"
_ACTORS = ("api", "v1", "actors")
_EXECUTIONS = ("api", "v1", "executions")
_POSTS = ("api", "v1", "posts")
#: How long the server's channels may take to answer a test, and a little more, in seconds.
_TEST = 20.0


class Client:
    """One server and who we are there.

    ``url`` is ``ACTOR_SERVER_URL`` unless it is given, and ``http://127.0.0.1:3000`` unless that is set. ``token`` is
    ``ACTOR_SERVER_TOKEN``, or what is in the file that ``ACTOR_SERVER_TOKEN_FILE`` names, unless it is given; ``""``
    means none. It goes to this server only: redirects are not followed.

    ``timeout`` is how long, in seconds, to wait for the connection, and for each part of an answer; a whole answer takes
    twice that at most. A GET that fails for a passing reason is tried ``retries`` times again, with pauses that begin at
    ``backoff`` seconds; nothing else is ever repeated. A client may be shared by threads.
    """

    def __init__(
        self,
        url: Optional[str] = None,
        token: Optional[str] = None,
        *,
        timeout: float = 10.0,
        retries: int = 2,
        backoff: float = 0.2,
        ssl_context: Optional[ssl.SSLContext] = None,
    ) -> None:
        if timeout <= 0 or retries < 0 or backoff < 0:
            raise ConfigurationError("timeout has to be positive, retries and backoff not negative")
        token = _token_of_environment() if token is None else (token or None)
        self._transport = Transport(
            url=url or os.environ.get("ACTOR_SERVER_URL") or DEFAULT_URL,
            token=token,
            timeout=timeout,
            retries=retries,
            backoff=backoff,
            context=ssl_context,
            user_agent=f"actor-server-client-python/{__version__}",
        )

    def __repr__(self) -> str:
        token = "***" if self._transport.has_token else None
        return f"Client(url={self._transport.base!r}, token={token!r})"

    # Bots.

    def actors(
        self,
        *,
        paused: Optional[bool] = None,
        enabled: Optional[bool] = None,
        q: Optional[str] = None,
        limit: Optional[int] = None,
        cursor: Optional[str] = None,
    ) -> Page[Actor]:
        """Bots by name: all that fit, or a page of them if there is a limit."""
        query: Query = {"paused": paused, "enabled": enabled, "q": q, "limit": limit, "cursor": cursor}
        return self._page(Actor, _ACTORS, query)

    def iter_actors(
        self,
        *,
        paused: Optional[bool] = None,
        enabled: Optional[bool] = None,
        q: Optional[str] = None,
        limit: int = 200,
    ) -> Iterator[Actor]:
        """Every bot that fits, by name; ``limit`` is the size of a page."""
        return items_of(lambda cursor: self.actors(paused=paused, enabled=enabled, q=q, limit=limit, cursor=cursor))

    def actor(self, name: str) -> Actor:
        """One bot."""
        return decode(Actor, self._get((*_ACTORS, name)).json())

    def status(self, name: str) -> ActorStatus:
        """How a bot is doing."""
        return decode(ActorStatus, self._get((*_ACTORS, name, "status")).json())

    def pause(self, name: str, *, reason: Optional[str] = None, until: Optional[datetime] = None) -> Actor:
        """Holds a bot until it is resumed, or until an end. A bot that is held stays so."""
        body = _given(reason=reason, until=_time(until))
        return decode(Actor, self._post((*_ACTORS, name, "pause"), body).json())

    def resume(self, name: str) -> Actor:
        """Ends a bot's hold, of whatever kind. A bot that is not held stays so."""
        return decode(Actor, self._post((*_ACTORS, name, "resume"), {}).json())

    def resume_all(self, kind: str) -> Resumed:
        """Ends this kind of hold (``manual``, ``failures``, ``refused``, ``given_up``) on every bot."""
        return decode(Resumed, self._post((*_ACTORS, "resume"), {}, query={"kind": kind}).json())

    def trigger(
        self,
        name: str,
        *,
        note: Optional[str] = None,
        dry_run: Optional[bool] = None,
        content: Optional[Union[str, Mapping[str, Any]]] = None,
    ) -> Triggered:
        """Runs a bot now, also while it is held. ``content`` is what to post: a text, or an item as templates see it."""
        item = {"body": content} if isinstance(content, str) else content
        body = _given(note=note, dry_run=dry_run, content=item)
        return decode(Triggered, self._post((*_ACTORS, name, "trigger"), body).json())

    # Runs.

    def executions(
        self,
        *,
        actor: Optional[str] = None,
        status: Optional[str] = None,
        trigger: Optional[str] = None,
        since: Optional[datetime] = None,
        until: Optional[datetime] = None,
        include: Optional[str] = None,
        limit: Optional[int] = None,
        offset: Optional[int] = None,
        cursor: Optional[str] = None,
    ) -> Page[Execution]:
        """Runs, newest first: one page (50, at most 500). ``include="all"``: also slots that did not run."""
        query: Query = {
            "actor": actor,
            "status": status,
            "trigger": trigger,
            "since": _time(since),
            "until": _time(until),
            "include": include,
            "limit": limit,
            "offset": offset,
            "cursor": cursor,
        }
        return self._page(Execution, _EXECUTIONS, query)

    def iter_executions(
        self,
        *,
        actor: Optional[str] = None,
        status: Optional[str] = None,
        trigger: Optional[str] = None,
        since: Optional[datetime] = None,
        until: Optional[datetime] = None,
        include: Optional[str] = None,
        limit: int = 200,
    ) -> Iterator[Execution]:
        """Every run that fits, newest first; ``limit`` is the size of a page. Runs that arrive meanwhile move nothing."""

        def page(cursor: Optional[str]) -> Page[Execution]:
            return self.executions(
                actor=actor,
                status=status,
                trigger=trigger,
                since=since,
                until=until,
                include=include,
                limit=limit,
                cursor=cursor,
            )

        return items_of(page)

    def executions_of(
        self, name: str, *, limit: Optional[int] = None, cursor: Optional[str] = None
    ) -> Page[Execution]:
        """One bot's runs, newest first: one page. Unlike with a filter, it is an error if there is no such bot."""
        return self._page(Execution, (*_EXECUTIONS, "actor", name), {"limit": limit, "cursor": cursor})

    def execution(self, execution_id: int) -> Execution:
        """One run."""
        return decode(Execution, self._get((*_EXECUTIONS, str(execution_id))).json())

    def wait(self, execution_id: int, *, timeout: float = 300.0, every: float = 0.5) -> Execution:
        """Looks at a run until it has ended."""
        deadline = time.monotonic() + timeout
        while True:
            run = self.execution(execution_id)
            if run.has_ended:
                return run
            if time.monotonic() >= deadline:
                raise RequestTimeoutError(f"run {execution_id} has not ended within {timeout:g} s")
            time.sleep(every)

    def cancel(self, execution_id: int) -> Cancelling:
        """Asks a run to stop; it has not stopped yet when this returns."""
        return decode(Cancelling, self._post((*_EXECUTIONS, str(execution_id), "cancel"), {}).json() or {})

    # Posts.

    def posts(
        self,
        *,
        actor: Optional[str] = None,
        status: Optional[str] = None,
        limit: Optional[int] = None,
        cursor: Optional[str] = None,
    ) -> Page[Post]:
        """Posts, newest first: one page (50, at most 500). ``status="dead"`` are those that were given up."""
        query: Query = {"actor": actor, "status": status, "limit": limit, "cursor": cursor}
        return self._page(Post, _POSTS, query)

    def post(self, post_id: int) -> Post:
        """One post."""
        return decode(Post, self._get((*_POSTS, str(post_id))).json())

    def resend(self, post_id: int) -> Post:
        """Has a post sent again that is dead or failed; it is pending when this returns."""
        return decode(Post, self._post((*_POSTS, str(post_id), "resend"), {}).json())

    # The server.

    def config(self) -> Dict[str, Any]:
        """The effective configuration, with secrets as ``"***"``."""
        return _object(self._get(("api", "v1", "config")))

    def reload(self, *, dry_run: bool = False) -> Reload:
        """Has the server read its files again; with ``dry_run`` it only says what would change."""
        body: Dict[str, Any] = {"dry_run": True} if dry_run else {}
        return decode(Reload, self._post(("api", "v1", "config", "reload"), body).json())

    def supervision(self) -> Supervision:
        """The supervision tree, the breakers and the replicas."""
        return decode(Supervision, self._get(("api", "v1", "supervision")).json())

    def reset_breaker(self, dependency: str) -> None:
        """Closes a downstream's circuit breaker by hand."""
        self._post(("api", "v1", "breakers", dependency, "reset"), {})

    def alerts(self, *, limit: Optional[int] = None) -> Alerts:
        """The incidents that are open, and the newest deliveries to the channels (50, at most 500)."""
        return decode(Alerts, self._transport.request("GET", ("api", "v1", "alerts"), {"limit": limit}).json())

    def test_alert(self, channel: Optional[str] = None) -> AlertTests:
        """Has a test notice sent to every channel, or to one. That a channel did not take it is an answer, too: see ``failed``.

        Waits 20 s at least, because the server waits for its channels.
        """
        body = _json(_given(channel=channel))
        path = ("api", "v1", "alerts", "test")
        return decode(AlertTests, self._transport.request("POST", path, body=body, patience=_TEST).json())

    def audit(
        self,
        *,
        subject: Optional[str] = None,
        action: Optional[str] = None,
        target: Optional[str] = None,
        since: Optional[datetime] = None,
        until: Optional[datetime] = None,
        limit: Optional[int] = None,
        cursor: Optional[str] = None,
    ) -> Page[AuditEntry]:
        """Who did what, newest first: one page."""
        query: Query = {
            "subject": subject,
            "action": action,
            "target": target,
            "since": _time(since),
            "until": _time(until),
            "limit": limit,
            "cursor": cursor,
        }
        return self._page(AuditEntry, ("api", "v1", "audit"), query)

    def iter_audit(
        self,
        *,
        subject: Optional[str] = None,
        action: Optional[str] = None,
        target: Optional[str] = None,
        since: Optional[datetime] = None,
        until: Optional[datetime] = None,
        limit: int = 200,
    ) -> Iterator[AuditEntry]:
        """Everything that was done, newest first; ``limit`` is the size of a page."""

        def page(cursor: Optional[str]) -> Page[AuditEntry]:
            return self.audit(
                subject=subject, action=action, target=target, since=since, until=until, limit=limit, cursor=cursor
            )

        return items_of(page)

    def health(self) -> Health:
        """How the server and its parts are. That it is not well is an answer, too."""
        return decode(Health, self._transport.request("GET", ("health",), accept=(503,)).json())

    def probe(self, which: str) -> Probe:
        """One of the probes ``live``, ``ready`` and ``startup``. That it says no is an answer, too."""
        return decode(Probe, self._transport.request("GET", ("health", which), accept=(503,)).json())

    # Knowledge.

    def content_tables(self) -> Page[KnowledgeTable]:
        """The knowledge tables, by name."""
        return self._page(KnowledgeTable, ("api", "v1", "content"), {})

    def content(
        self, table: str, *, limit: Optional[int] = None, cursor: Optional[str] = None
    ) -> Page[ContentItem]:
        """Items of a knowledge table, newest first: one page."""
        return self._page(ContentItem, ("api", "v1", "content", table), {"limit": limit, "cursor": cursor})

    def iter_content(self, table: str, *, limit: int = 200) -> Iterator[ContentItem]:
        """Every item of a knowledge table, newest first; ``limit`` is the size of a page."""
        return items_of(lambda cursor: self.content(table, limit=limit, cursor=cursor))

    def add_content(self, table: str, items: Iterable[Mapping[str, Any]]) -> Added:
        """Adds items (``body``, and whatever else the server takes) to a knowledge table, all or none."""
        answer = self._post(("api", "v1", "content", table), [dict(item) for item in items])
        return decode(Added, answer.json())

    def delete_content(self, table: str, item_id: int) -> Removed:
        """Removes one item of a knowledge table."""
        return self._remove(table, {"id": item_id})

    def clear_content(self, table: str) -> Removed:
        """Removes all items of a knowledge table."""
        return self._remove(table, {"all": True})

    # Events.

    def send_event(
        self, event_type: str, source: str, payload: Any = None, *, idempotency_key: Optional[str] = None
    ) -> EventAccepted:
        """Starts the bots that listen for this type. A repetition with the same key starts nothing anew."""
        headers = {} if idempotency_key is None else {"Idempotency-Key": _header(idempotency_key)}
        return self._event(_event(event_type, source, payload), headers)

    def send_signed_event(
        self,
        event_type: str,
        source: str,
        payload: Any = None,
        *,
        secret: Union[str, bytes],
        message_id: Optional[str] = None,
        at: Optional[datetime] = None,
    ) -> EventAccepted:
        """The same with a signature instead of the token, which is not sent. Repeat it with the same ``message_id`` to start nothing anew."""
        body = _event(event_type, source, payload)
        message_id = message_id or f"msg_{uuid.uuid4().hex}"
        headers = sign_event(secret, message_id, body, at or datetime.now(timezone.utc))
        return self._event(body, headers, anonymous=True)

    def stream(
        self,
        *,
        actor: Optional[str] = None,
        events: Union[str, Iterable[str]] = (),
        last_event_id: Optional[str] = None,
        silence: float = 60.0,
    ) -> Stream:
        """What happens, as it happens, from now on or behind the event with this id.

        ``actor`` and ``events`` (such as ``["run_ended", "hold_set"]``) choose; all is told without them.

        A connection that says nothing for ``silence`` seconds, not even that it is alive, counts as cut off.
        """
        names = events if isinstance(events, str) else ",".join(events)
        query: Query = {"actor": actor, "events": names or None}
        return Stream(self._transport, query, last_event_id, silence)

    # How.

    def _event(self, body: bytes, headers: Mapping[str, str], *, anonymous: bool = False) -> EventAccepted:
        path = ("api", "v1", "events")
        answer = self._transport.request("POST", path, body=body, headers=headers, anonymous=anonymous)
        return decode(EventAccepted, answer.json())

    def _get(self, path: Tuple[str, ...]) -> Answer:
        return self._transport.request("GET", path)

    def _post(self, path: Tuple[str, ...], body: Any, query: Optional[Query] = None) -> Answer:
        return self._transport.request("POST", path, query, body=_json(body))

    def _remove(self, table: str, query: Query) -> Removed:
        return decode(Removed, self._transport.request("DELETE", ("api", "v1", "content", table), query).json())

    def _page(self, kind: Type[T], path: Tuple[str, ...], query: Query) -> Page[T]:
        answer = self._transport.request("GET", path, query)
        items = answer.json()
        if not isinstance(items, list):
            raise UnexpectedAnswerError(answer.status, f"no list, but {type(items).__name__}")
        return Page([decode(kind, item) for item in items], answer.next_cursor)


def _token_of_environment() -> Optional[str]:
    token, file = os.environ.get("ACTOR_SERVER_TOKEN"), os.environ.get("ACTOR_SERVER_TOKEN_FILE")
    if token and file:
        raise ConfigurationError("both ACTOR_SERVER_TOKEN and ACTOR_SERVER_TOKEN_FILE are set; set one of the two")
    if not file:
        return token or None
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"ACTOR_SERVER_TOKEN_FILE: cannot read {file}: {error}") from None


def _given(**values: Any) -> Dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _time(time: Optional[datetime]) -> Optional[str]:
    if time is None:
        return None
    try:
        return write_time(time)
    except (ValueError, OverflowError) as error:
        raise InvalidArgumentError(str(error)) from None


def _event(event_type: str, source: str, payload: Any) -> bytes:
    return _json({"event_type": event_type, "source": source, "payload": payload})


def _json(value: Any) -> bytes:
    try:
        return json.dumps(value, allow_nan=False, ensure_ascii=False).encode("utf-8")
    except (TypeError, ValueError) as error:
        raise InvalidArgumentError(f"this is no JSON: {error}") from None


def _header(text: str) -> str:
    if not text or not text.isascii() or not text.isprintable():
        raise InvalidArgumentError("an idempotency key has to be printable ASCII text")
    return text


def _object(answer: Answer) -> Dict[str, Any]:
    document = answer.json()
    if not isinstance(document, dict):
        raise UnexpectedAnswerError(answer.status, f"no object, but {type(document).__name__}")
    return document
