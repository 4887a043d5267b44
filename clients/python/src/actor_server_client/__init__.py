"""A typed client of the actor-server control API, with the standard library only.

>>> from actor_server_client import Client
>>> client = Client("http://127.0.0.1:3000")
>>> for actor in client.iter_actors():  # doctest: +SKIP
...     print(actor.name, actor.next_run)
"""

from ._client import Client
from ._errors import (
    ActorServerError,
    BadRequestError,
    ConfigurationError,
    ConflictError,
    ForbiddenError,
    InvalidArgumentError,
    NotFoundError,
    ProblemError,
    RequestTimeoutError,
    TooManyRequestsError,
    UnauthorizedError,
    UnavailableError,
    UnexpectedAnswerError,
    UnprocessableError,
    UnreachableError,
)
from ._models import (
    Actor,
    ActorReport,
    ActorStatus,
    AuditEntry,
    BotChange,
    Breaker,
    Cancelling,
    ContentItem,
    EventAccepted,
    Execution,
    Health,
    Hold,
    Post,
    Probe,
    Reload,
    ReloadPlan,
    Replica,
    Resumed,
    SkillRun,
    StartedRun,
    Supervision,
    Triggered,
)
from ._pages import Page
from ._stream import Happening, Stream
from ._version import __version__
from ._webhooks import sign_event

__all__ = [
    "Actor",
    "ActorReport",
    "ActorServerError",
    "ActorStatus",
    "AuditEntry",
    "BadRequestError",
    "BotChange",
    "Breaker",
    "Cancelling",
    "Client",
    "ConfigurationError",
    "ConflictError",
    "ContentItem",
    "EventAccepted",
    "Execution",
    "ForbiddenError",
    "Happening",
    "Health",
    "Hold",
    "InvalidArgumentError",
    "NotFoundError",
    "Page",
    "Post",
    "Probe",
    "ProblemError",
    "Reload",
    "ReloadPlan",
    "Replica",
    "RequestTimeoutError",
    "Resumed",
    "SkillRun",
    "StartedRun",
    "Stream",
    "Supervision",
    "TooManyRequestsError",
    "Triggered",
    "UnauthorizedError",
    "UnavailableError",
    "UnexpectedAnswerError",
    "UnprocessableError",
    "UnreachableError",
    "__version__",
    "sign_event",
]
