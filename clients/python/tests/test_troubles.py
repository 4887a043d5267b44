"""What the client makes of refusals, silence, and servers that are something else."""

from __future__ import annotations

import os
import pickle
import socket
import tempfile
import threading
import time
import unittest
from typing import Any, List, Type
from unittest import mock

from actor_server_client import (
    ActorServerError,
    BadRequestError,
    Client,
    ConfigurationError,
    ConflictError,
    ForbiddenError,
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

from .stand_in import StandIn

LIST = "GET /api/v1/actors"
RESUME = "POST /api/v1/actors/daily/resume"


def nowhere() -> str:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


class Troubles(unittest.TestCase):
    def setUp(self) -> None:
        self.server = StandIn()
        self.server.__enter__()
        self.addCleanup(self.server.__exit__, None, None, None)
        self.client = Client(self.server.url, "a-token", retries=2, backoff=0.001)

    def test_a_problem_document_becomes_an_error_of_its_status(self) -> None:
        kinds: List[Any] = [
            (400, BadRequestError), (401, UnauthorizedError), (403, ForbiddenError), (404, NotFoundError),
            (409, ConflictError), (422, UnprocessableError), (429, TooManyRequestsError), (500, ProblemError),
            (503, UnavailableError),
        ]
        for status, kind in kinds:
            line = f"POST /api/v1/actors/s{status}/resume"
            document = {"title": "T", "detail": "this is why", "request_id": "r-9", "errors": ["a.toml:1:2: x"]}
            self.server.answer(line, document, status)
            with self.assertRaises(kind) as caught:
                self.client.resume(f"s{status}")
            error = caught.exception
            self.assertEqual((error.status, error.detail, error.request_id), (status, "this is why", "r-9"))
            self.assertEqual(error.errors, ["a.toml:1:2: x"])
            self.assertEqual(str(error), f"this is why ({status} T, request r-9)\n  a.toml:1:2: x")
            again = pickle.loads(pickle.dumps(error))
            self.assertEqual((type(again), str(again)), (kind, str(error)))
        self.assertEqual(len(self.server.asked), len(kinds), "nothing but a GET is tried again")

    def test_a_get_is_tried_again_so_often_and_no_more(self) -> None:
        self.server.problem(LIST, 503, "restarting")
        self.server.answer(LIST, b"", 502)
        self.server.answer(LIST, [])
        self.assertEqual(self.client.actors(), [])
        self.assertEqual(len(self.server.asked), 3)
        self.server.problem("GET /api/v1/config", 503, "still restarting")
        with self.assertRaises(UnavailableError):
            self.client.config()
        self.assertEqual(len(self.server.asked), 6)
        self.server.problem("GET /api/v1/supervision", 404, "no")
        with self.assertRaises(NotFoundError):
            self.client.supervision()
        self.assertEqual(len(self.server.asked), 7)

    def test_a_server_that_wishes_a_pause_is_heard_within_bounds(self) -> None:
        self.server.problem(LIST, 429, "slowly", Retry_After="86400")
        self.server.answer(LIST, [])
        with mock.patch("time.sleep") as sleep:
            self.client.actors()
        self.assertEqual(sleep.call_args_list, [mock.call(5.0)])

    def test_a_redirect_is_not_followed_so_the_token_stays_here(self) -> None:
        with StandIn() as thief:
            thief.answer(LIST, [])
            self.server.answer(LIST, b"", 307, Location=f"{thief.url}/api/v1/actors")
            with self.assertRaises(UnexpectedAnswerError) as caught:
                self.client.actors()
            self.assertIn(thief.url, str(caught.exception))
            self.assertEqual(thief.asked, [])

    def test_whoever_answers_something_else_is_not_believed(self) -> None:
        for status, body in [
            (200, b"<html>"), (200, b'{"actors": []}'), (200, b'[{"no_name": 1}]'), (200, b"[1]"), (200, b""),
            (200, b'[{"name": "a", "hold": "x"}]'), (200, b'[{"name": "a", "next_slots": 5}]'),
            (200, b'[{"name": "cut o'), (200, b"\xff\xfe"), (404, b"<h1>"), (500, b""),
        ]:
            with StandIn() as server:
                server.answer(LIST, body, status, Content_Type="text/html")
                with self.assertRaises(UnexpectedAnswerError, msg=repr(body)):
                    Client(server.url, "").actors()
        self.server.answer(RESUME, b"<h1>Who are you?</h1>", 401, X_Request_Id="p-1")
        with self.assertRaises(UnauthorizedError) as caught:
            self.client.resume("daily")
        self.assertEqual(caught.exception.request_id, "p-1")

    def test_nobody_there_is_said_so(self) -> None:
        url = nowhere()
        with self.assertRaises(UnreachableError) as caught:
            Client(url, "", backoff=0.001).actors()
        self.assertIn(url, str(caught.exception))

    def test_silence_and_trickles_end_within_the_timeout(self) -> None:
        for first in (b"", b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n["):
            self._against(first)

    def test_a_test_of_the_channels_is_waited_for_longer(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            client = Client(f"http://127.0.0.1:{listener.getsockname()[1]}", "", timeout=0.05, retries=0)
            began = time.monotonic()
            with mock.patch("actor_server_client._client._TEST", 0.5), self.assertRaises(RequestTimeoutError):
                client.test_alert()
            self.assertGreater(time.monotonic() - began, 0.4)

    def _against(self, first: bytes) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            done = threading.Event()

            def serve() -> None:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(4096)
                    connection.sendall(first)
                    while first and not done.wait(0.05):
                        try:
                            connection.sendall(b" ")
                        except OSError:
                            break
                    done.wait(5)

            thread = threading.Thread(target=serve, daemon=True)
            thread.start()
            client = Client(f"http://127.0.0.1:{listener.getsockname()[1]}", "", timeout=0.3, retries=0)
            with self.assertRaises(RequestTimeoutError):
                client.actors()
            done.set()
            thread.join()

    def test_a_url_or_token_that_can_be_none_is_refused(self) -> None:
        for url in ("127.0.0.1:3000", "ftp://h", "http://", "http://me:hunter2@h", "http://h?a=b", "http://h/#x",
                    "http://h:port", "http://[", "http://a b", "http://h/\r\nx", " \t"):
            with self.assertRaises(ConfigurationError, msg=url) as caught:
                Client(url, "")
            self.assertNotIn("hunter2", str(caught.exception))
        for token in (" ", "a b", "a\nb", "é", "a\0"):
            with self.assertRaises(ConfigurationError) as caught:
                Client("http://h", token)
            self.assertNotIn(token.strip() or "none", str(caught.exception))
        self.assertEqual(repr(Client("https://h/base/", "s3cret")), "Client(url='https://h/base', token='***')")

    def test_url_and_token_come_from_the_environment(self) -> None:
        self.server.answer(LIST, [])
        with tempfile.NamedTemporaryFile("w", suffix="token") as file:
            file.write("from-a-file\n")
            file.flush()
            url = {"ACTOR_SERVER_URL": self.server.url}
            for more, token in [
                ({}, None),
                ({"ACTOR_SERVER_TOKEN": "t"}, "Bearer t"),
                ({"ACTOR_SERVER_TOKEN_FILE": file.name}, "Bearer from-a-file"),
            ]:
                with mock.patch.dict(os.environ, {**url, **more}, clear=True):
                    Client().actors()
                self.assertEqual(self.server.asked[-1].headers.get("authorization"), token)
            for bad in (
                {"ACTOR_SERVER_TOKEN": "t", "ACTOR_SERVER_TOKEN_FILE": file.name},
                {"ACTOR_SERVER_TOKEN_FILE": "/nowhere/token"},
            ):
                with mock.patch.dict(os.environ, bad, clear=True), self.assertRaises(ConfigurationError):
                    Client()

    def test_every_error_is_one_of_ours(self) -> None:
        kinds: List[Type[BaseException]] = [ConfigurationError, UnreachableError, RequestTimeoutError, ProblemError]
        for kind in kinds:
            self.assertTrue(issubclass(kind, ActorServerError))
        self.assertTrue(issubclass(RequestTimeoutError, TimeoutError))


if __name__ == "__main__":
    unittest.main()
