"""What the server answers. Every answer keeps all that was in it as ``raw``, also what this client does not know."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from datetime import datetime, timezone
from typing import Any, Callable, Dict, List, Mapping, Optional, Type, TypeVar

from ._errors import UnexpectedAnswerError

T = TypeVar("T")

_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d+))?([Zz]|[+-]\d{2}:\d{2})")


def parse_time(text: Any) -> Optional[datetime]:
    """An RFC 3339 time, to the microsecond; ``None`` for what is none.

    >>> parse_time("2027-01-31T08:00:00.5Z")
    datetime.datetime(2027, 1, 31, 8, 0, 0, 500000, tzinfo=datetime.timezone.utc)
    """
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    day, time, fraction, zone = match.groups()
    micros = ((fraction or "") + "000000")[:6]
    zone = "+00:00" if zone in "Zz" else zone
    try:
        return datetime.fromisoformat(f"{day}T{time}.{micros}{zone}").astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None


def write_time(time: datetime) -> str:
    """A time as the API reads it. One without a zone is refused: it would mean another moment on another machine."""
    if time.tzinfo is None:
        raise ValueError("the time has no zone; use datetime.now(timezone.utc), for example")
    return time.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")


def decode(kind: Type[T], data: Any) -> T:
    """Reads a dataclass of this module from JSON: absent fields are absent, unknown ones are in ``raw`` only."""
    if not isinstance(data, dict):
        raise UnexpectedAnswerError(200, f"no {kind.__name__}, but {type(data).__name__}")
    values: Dict[str, Any] = {"raw": data}
    for one in fields(kind):  # type: ignore[arg-type]
        value = data.get(one.name)
        if one.name == "raw" or value is None:
            continue
        read: Optional[Callable[[Any], Any]] = one.metadata.get("read")
        try:
            values[one.name] = read(value) if read else value
        except (TypeError, AttributeError):
            raise UnexpectedAnswerError(200, f"{kind.__name__}.{one.name} is {value!r:.80}") from None
    try:
        return kind(**values)
    except TypeError as error:
        raise UnexpectedAnswerError(200, f"no {kind.__name__}: {error}") from None


def _time() -> Any:
    return field(default=None, metadata={"read": parse_time})


def _times() -> Any:
    return field(default_factory=list, metadata={"read": lambda all: [parse_time(one) for one in all]})


def _one(kind: Callable[[], Type[Any]]) -> Any:
    return field(default=None, metadata={"read": lambda data: decode(kind(), data)})


def _many(kind: Callable[[], Type[Any]]) -> Any:
    return field(default_factory=list, metadata={"read": lambda all: [decode(kind(), one) for one in all]})


def _raw() -> Any:
    return field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class Hold:
    """Why a bot does not run."""

    #: ``manual``, ``failures``, ``refused``, ``given_up`` or ``invalid``.
    kind: str
    reason: Optional[str] = None
    #: When it ends by itself.
    until: Optional[datetime] = _time()
    by: Optional[str] = None
    raw: Mapping[str, Any] = _raw()


@dataclass(frozen=True)
class Actor:
    """A bot."""

    name: str
    enabled: bool = False
    is_paused: bool = False
    consecutive_failures: int = 0
    last_run: Optional[datetime] = _time()
    last_success: Optional[datetime] = _time()
    next_run: Optional[datetime] = _time()
    #: ``Cron``, ``Interval``, ``Once`` or ``Immediate``.
    schedule_type: Optional[str] = None
    title: Optional[str] = None
    description: Optional[str] = None
    #: In words.
    schedule: Optional[str] = None
    timezone: Optional[str] = None
    next_slots: List[datetime] = _times()
    hold: Optional[Hold] = _one(lambda: Hold)
    #: Its runs at work in the process that answered.
    running: List[int] = field(default_factory=list)
    overlap: Optional[str] = None
    channel_id: Optional[str] = None
    #: Where its posts go: ``console``, ``discord``, ``discord_webhook``, ``webhook``, or a platform of the server's own.
    platform: Optional[str] = None
    #: Where on that platform.
    destination: Optional[str] = None
    raw: Mapping[str, Any] = _raw()


@dataclass(frozen=True)
class ActorStatus:
    """How a bot is doing."""

    actor: str
    is_paused: bool = False
    consecutive_failures: int = 0
    last_run: Optional[datetime] = _time()
    next_run: Optional[datetime] = _time()
    #: How many runs the rate is of, five at most.
    recent_executions: int = 0
    #: Such as ``80.0%``.
    recent_success_rate: Optional[str] = None
    raw: Mapping[str, Any] = _raw()


@dataclass(frozen=True)
class Triggered:
    """A run by hand was started."""

    execution_id: int
    message: str = ""
    timestamp: Optional[datetime] = _time()
    raw: Mapping[str, Any] = _raw()


@dataclass(frozen=True)
class Resumed:
    """Holds of one kind were ended."""

    #: The bots that were held.
    resumed: List[str] = field(default_factory=list)
    raw: Mapping[str, Any] = _raw()


@dataclass(frozen=True)
class SkillRun:
    """What one skill did in a run."""

    name: Optional[str] = None
    #: ``succeeded``, ``failed`` or ``skipped``.
    status: Optional[str] = None
    detail: Optional[str] = None
    duration_ms: Optional[int] = None
    raw: Mapping[str, Any] = _raw()


@dataclass(frozen=True)
class Post:
    """One message that a run handed to a platform."""

    id: Optional[int] = None
    #: The run and the bot that made it.
    execution_id: Optional[int] = None
    task_id: Optional[str] = None
    platform: Optional[str] = None
    destination: Optional[str] = None
    body: Optional[str] = None
    #: ``pending``, ``sent``, ``failed`` or ``dead``.
    status: Optional[str] = None
    attempts: Optional[int] = None
    platform_message_id: Optional[str] = None
    error_message: Optional[str] = None
    created_at: Optional[datetime] = _time()
    posted_at: Optional[datetime] = _time()
    raw: Mapping[str, Any] = _raw()


@dataclass(frozen=True)
class Execution:
    """A run, or slots that did not run."""

    id: int
    task_id: str
    actor_name: Optional[str] = None
    #: ``running``, ``succeeded``, ``failed``, ``timed_out``, ``panicked``, ``cancelled``, ``abandoned``, ``skipped``
    #: or ``missed``.
    status: Optional[str] = None
    reason: Optional[str] = None
    #: ``schedule``, ``manual`` or ``event``.
    trigger: Optional[str] = None
    scheduled_for: Optional[datetime] = _time()
    slots: Optional[int] = None
    slot_last: Optional[datetime] = _time()
    attempt: Optional[int] = None
    replica: Optional[str] = None
    started_at: Optional[datetime] = _time()
    completed_at: Optional[datetime] = _time()
    duration_ms: Optional[int] = None
    #: ``None`` while it runs, and for slots that did not.
    success: Optional[bool] = None
    skills_succeeded: Optional[int] = None
    skills_failed: Optional[int] = None
    skills_skipped: Optional[int] = None
    error_message: Optional[str] = None
    skills: List[SkillRun] = _many(lambda: SkillRun)
    posts: List[Post] = _many(lambda: Post)
    #: What a trigger or an event came with.
    input: Any = None
    raw: Mapping[str, Any] = _raw()

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will become of it."""
        if self.status is None:
            return self.completed_at is not None
        return self.status != "running"


@dataclass(frozen=True)
class Cancelling:
    """A run is asked to stop."""

    message: Optional[str] = None
    execution_id: Optional[int] = None
    timestamp: Optional[datetime] = _time()
    raw: Mapping[str, Any] = _raw()


@dataclass(frozen=True)
class ActorReport:
    """One actor of the supervision tree."""

    name: str
    supervisor: Optional[str] = None
    #: ``running``, ``resting``, ``restarting`` or ``given_up``.
    state: Optional[str] = None
    restarts: Optional[int] = None
    budget_left: Optional[int] = None
    last_crash: Optional[str] = None
    mailbox: Optional[int] = None
    raw: Mapping[str, Any] = _raw()


@dataclass(frozen=True)
class Breaker:
    """A downstream's circuit breaker."""

    dependency: str
    #: ``closed``, ``half_open`` or ``open``.
    state: Optional[str] = None
    raw: Mapping[str, Any] = _raw()


@dataclass(frozen=True)
class Replica:
    """One process on the database."""

    id: str
    address: Optional[str] = None
    version: Optional[str] = None
    started_at: Optional[datetime] = _time()
    last_seen: Optional[datetime] = _time()
    alive: Optional[bool] = None
    raw: Mapping[str, Any] = _raw()


@dataclass(frozen=True)
class Supervision:
    """The tree, the breakers, the replicas."""

    actors: List[ActorReport] = _many(lambda: ActorReport)
    breakers: List[Breaker] = _many(lambda: Breaker)
    #: Empty while the database cannot be asked; then ``replicas_error`` says why.
    replicas: List[Replica] = _many(lambda: Replica)
    replicas_error: Optional[str] = None
    raw: Mapping[str, Any] = _raw()


@dataclass(frozen=True)
class BotChange:
    """What a reload changes about one bot."""

    actor: str
    keys: List[str] = field(default_factory=list)
    #: Before and after.
    schedule: Any = None
    #: Before and after.
    next_slots: Any = None
    raw: Mapping[str, Any] = _raw()


@dataclass(frozen=True)
class ReloadPlan:
    """What a reload changes."""

    added: List[BotChange] = _many(lambda: BotChange)
    removed: List[BotChange] = _many(lambda: BotChange)
    changed: List[BotChange] = _many(lambda: BotChange)
    #: Settings that take effect at once.
    settings: List[str] = field(default_factory=list)
    #: Settings that take effect after a restart.
    needs_restart: List[str] = field(default_factory=list)
    warnings: List[str] = field(default_factory=list)
    raw: Mapping[str, Any] = _raw()


@dataclass(frozen=True)
class Reload:
    """The configuration was read again."""

    message: Optional[str] = None
    dry_run: bool = False
    plan: ReloadPlan = field(
        default_factory=lambda: ReloadPlan(), metadata={"read": lambda data: decode(ReloadPlan, data)}
    )
    raw: Mapping[str, Any] = _raw()


@dataclass(frozen=True)
class ComponentHealth:
    """How one part of the server is."""

    #: ``healthy``, ``degraded`` or ``unhealthy``.
    status: str
    reason: Optional[str] = None
    since: Optional[datetime] = _time()
    raw: Mapping[str, Any] = _raw()


@dataclass(frozen=True)
class Health:
    """How the server is."""

    #: ``healthy``, ``degraded`` or ``unhealthy``.
    status: str
    reason: Optional[str] = None
    since: Optional[datetime] = _time()
    timestamp: Optional[datetime] = _time()
    #: Each part, by its name.
    components: Mapping[str, ComponentHealth] = field(
        default_factory=dict,
        metadata={"read": lambda all: {name: decode(ComponentHealth, one) for name, one in all.items()}},
    )
    raw: Mapping[str, Any] = _raw()


@dataclass(frozen=True)
class Probe:
    """A probe's answer."""

    #: ``ok``, ``ready``, ``not_ready``, ``started`` or ``starting``.
    status: str
    timestamp: Optional[datetime] = _time()
    checks: Mapping[str, bool] = field(default_factory=dict)
    raw: Mapping[str, Any] = _raw()


@dataclass(frozen=True)
class Incident:
    """One thing that is wrong."""

    #: Such as ``failures/daily_poster``.
    incident: str
    kind: Optional[str] = None
    #: The bot, if it is about one.
    actor: Optional[str] = None
    #: ``info``, ``warning``, ``error`` or ``critical``.
    severity: Optional[str] = None
    title: str = ""
    detail: str = ""
    since: Optional[datetime] = _time()
    #: When anybody was told of it last.
    reminded_at: Optional[datetime] = _time()
    #: How much of it: failed runs in a row, missed slots.
    count: Optional[int] = None
    raw: Mapping[str, Any] = _raw()


@dataclass(frozen=True)
class AlertDelivery:
    """What one channel is told about one step of an incident."""

    id: int
    #: ``webhook``, ``discord`` or ``pagerduty``.
    channel: Optional[str] = None
    incident: Optional[str] = None
    kind: Optional[str] = None
    #: ``raised``, ``reminder`` or ``recovered``.
    stage: Optional[str] = None
    severity: Optional[str] = None
    actor: Optional[str] = None
    title: str = ""
    #: ``pending``, ``sent``, ``failed`` or ``dropped``.
    status: Optional[str] = None
    attempts: Optional[int] = None
    next_attempt_at: Optional[datetime] = _time()
    error: Optional[str] = None
    created_at: Optional[datetime] = _time()
    sent_at: Optional[datetime] = _time()
    raw: Mapping[str, Any] = _raw()


@dataclass(frozen=True)
class Alerts:
    """What is wrong now, the oldest first, and what was told lately, the newest first."""

    open: List[Incident] = _many(lambda: Incident)
    deliveries: List[AlertDelivery] = _many(lambda: AlertDelivery)
    raw: Mapping[str, Any] = _raw()


@dataclass(frozen=True)
class AlertTest:
    """What one channel said to a test notice."""

    channel: str
    sent: bool = False
    #: Why not.
    error: Optional[str] = None
    raw: Mapping[str, Any] = _raw()


@dataclass(frozen=True)
class AlertTests:
    """What the channels said to a test notice."""

    channels: List[AlertTest] = _many(lambda: AlertTest)
    timestamp: Optional[datetime] = _time()
    raw: Mapping[str, Any] = _raw()

    @property
    def failed(self) -> List[AlertTest]:
        """The channels that did not take it."""
        return [one for one in self.channels if not one.sent]


@dataclass(frozen=True)
class AuditEntry:
    """Who did what."""

    id: int
    at: Optional[datetime] = _time()
    subject: Optional[str] = None
    role: Optional[str] = None
    action: Optional[str] = None
    target: Optional[str] = None
    remote: Optional[str] = None
    request_id: Optional[str] = None
    before: Any = None
    after: Any = None
    #: ``ok``, or why it was refused.
    outcome: Optional[str] = None
    raw: Mapping[str, Any] = _raw()


@dataclass(frozen=True)
class ContentItem:
    """An item of a knowledge table."""

    id: int
    key: Optional[str] = None
    title: Optional[str] = None
    body: str = ""
    source: Optional[str] = None
    tags: List[str] = field(default_factory=list)
    #: 0 to 1; the higher the sooner.
    priority: Optional[float] = None
    not_before: Optional[datetime] = _time()
    expires_at: Optional[datetime] = _time()
    media: List[str] = field(default_factory=list)
    metadata: Any = None
    created_at: Optional[datetime] = _time()
    raw: Mapping[str, Any] = _raw()


@dataclass(frozen=True)
class KnowledgeTable:
    """A knowledge table."""

    table: str
    items: int = 0
    #: Of these: not to be posted yet.
    waiting: int = 0
    #: Of these: not to be posted any more.
    expired: int = 0
    newest: Optional[datetime] = _time()
    raw: Mapping[str, Any] = _raw()


@dataclass(frozen=True)
class Added:
    """Items were added."""

    count: Optional[int] = None
    #: Their rows, in the order of the items.
    ids: List[int] = field(default_factory=list)
    raw: Mapping[str, Any] = _raw()


@dataclass(frozen=True)
class Removed:
    """Items were removed."""

    #: How many.
    removed: int
    raw: Mapping[str, Any] = _raw()


@dataclass(frozen=True)
class StartedRun:
    """A run that an event started."""

    actor: Optional[str] = None
    execution_id: Optional[int] = None
    raw: Mapping[str, Any] = _raw()


@dataclass(frozen=True)
class EventAccepted:
    """An event was taken."""

    #: The runs that it started, of a repetition those that the first one started.
    executions: List[StartedRun] = _many(lambda: StartedRun)
    raw: Mapping[str, Any] = _raw()
