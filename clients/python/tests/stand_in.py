"""A server that gives prepared answers and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Type


class Asked(NamedTuple):
    line: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Answer(NamedTuple):
    status: int
    body: bytes
    headers: Mapping[str, str]


class StandIn:
    """Answers a request line with what was prepared for it; the last answer is given again and again."""

    def __init__(self) -> None:
        self.asked: List[Asked] = []
        self._answers: Dict[str, List[Answer]] = defaultdict(list)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> StandIn:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, line: str, body: Any = None, status: int = 200, **headers: str) -> None:
        """Prepares the next answer to such a request."""
        kind = "application/problem+json" if status >= 400 else "application/json"
        sent = {"Content-Type": kind, **{name.replace("_", "-"): value for name, value in headers.items()}}
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        self._answers[line].append(Answer(status, data, sent))

    def problem(self, line: str, status: int, detail: str, **headers: str) -> None:
        """Prepares a problem document."""
        document = {"type": "about:blank", "title": "T", "status": status, "detail": detail, "request_id": "req-1"}
        self.answer(line, document, status, **headers)

    def _handler(self) -> Type[BaseHTTPRequestHandler]:
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                line = f"{self.command} {self.path}"
                headers = {name.lower(): value for name, value in self.headers.items()}
                stand_in.asked.append(Asked(line, headers, body))
                answers = stand_in._answers.get(line)
                if not answers:
                    answer = Answer(404, b'{"title": "Not Found", "detail": "nothing was prepared"}', {})
                else:
                    answer = answers.pop(0) if len(answers) > 1 else answers[0]
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.body)

            do_GET = do_POST = do_DELETE = _answer

            def log_message(self, *_: Any) -> None:
                pass

        return Handler
