"""The live stream, also through cut connections."""

from __future__ import annotations

import unittest
from unittest import mock

from actor_server_client import Client, UnauthorizedError, UnavailableError, UnexpectedAnswerError

from .stand_in import StandIn

STREAM = "GET /api/v1/stream"
KIND = "text/event-stream; charset=utf-8"


class Streaming(unittest.TestCase):
    def setUp(self) -> None:
        self.server = StandIn()
        self.server.__enter__()
        self.addCleanup(self.server.__exit__, None, None, None)
        self.client = Client(self.server.url, "a-token")

    def events(self, text: str) -> None:
        self.server.answer(STREAM, text.encode(), Content_Type=KIND)

    def test_a_cut_stream_goes_on_behind_the_last_event(self) -> None:
        self.events(
            "\ufeffretry: 1\r\n\r\nid: 1\r\nevent: run_started\r\ndata: {\"actor\":\r\ndata: \"a\"}\r\n\r\n"
            ": alive\n\nevent: empty\n\nid: 2\ndata:x\n\nid: 3\ndata: cut"
        )
        self.server.problem(STREAM, 503, "restarting")
        self.events("id: 3\nevent: hold_set\ndata: {}\n\n")
        with self.client.stream() as stream:
            first = next(stream)
            self.assertEqual((first.kind, first.json()), ("run_started", {"actor": "a"}))
            second = next(stream)
            self.assertEqual((second.kind, second.data, second.json()), ("message", "x", None))
            self.assertEqual((next(stream).kind, stream.last_event_id), ("hold_set", "3"))
        self.assertEqual(list(stream), [], "a closed stream is at its end")
        self.assertNotIn("last-event-id", self.server.asked[0].headers)
        self.assertEqual([asked.headers.get("last-event-id") for asked in self.server.asked[1:]], ["2", "2"])

    def test_a_stream_that_only_says_where_it_is_is_resumed_there(self) -> None:
        line = "GET /api/v1/stream?actor=daily&events=run_ended%2Chold_set"
        for text in (b"retry: 1\nid: 5\n\n", b"id\n\n", b"data: x\n\n"):
            self.server.answer(line, text, Content_Type=KIND)
        next(self.client.stream(actor="daily", events=["run_ended", "hold_set"]))
        self.assertEqual([asked.headers.get("last-event-id") for asked in self.server.asked], [None, "5", None])

    def test_a_single_kind_needs_no_list(self) -> None:
        self.server.answer("GET /api/v1/stream?events=run_ended", b"id: 1\nevent: run_ended\ndata: {}\n\n", Content_Type=KIND)
        self.assertEqual(next(self.client.stream(events="run_ended")).kind, "run_ended")

    def test_a_stream_begins_where_another_stopped(self) -> None:
        self.events("data: x\n\n")
        next(self.client.stream(last_event_id="7"))
        self.assertEqual(self.server.asked[0].headers["last-event-id"], "7")

    def test_a_first_connection_that_fails_and_a_refusal_end_the_stream(self) -> None:
        self.server.problem(STREAM, 503, "starting")
        with self.assertRaises(UnavailableError):
            next(self.client.stream())
        with StandIn() as server:
            server.answer(STREAM, b"retry: 1\n\ndata: x\n\n", Content_Type=KIND)
            server.problem(STREAM, 401, "the token has expired")
            stream = Client(server.url, "t").stream()
            next(stream)
            with self.assertRaises(UnauthorizedError):
                next(stream)

    def test_pauses_grow_and_have_a_bound(self) -> None:
        self.events("data: x\n\n")
        for _ in range(8):
            self.server.problem(STREAM, 503, "restarting")
        self.events("data: y\n\n")
        stream = self.client.stream()
        with mock.patch("time.sleep") as sleep:
            next(stream), next(stream)
        pauses = [call.args[0] for call in sleep.call_args_list]
        self.assertEqual(pauses, [1, 2, 4, 8, 16, 30, 30, 30, 30])

    def test_what_is_no_stream_is_refused(self) -> None:
        self.server.answer(STREAM, {})
        with self.assertRaises(UnexpectedAnswerError):
            next(self.client.stream())

    def test_an_event_without_end_is_cut_off(self) -> None:
        self.server.answer(STREAM, b"data: " + b"x" * (3 << 20) + b"\n\n", Content_Type=KIND)
        self.events("data: short\n\n")
        with mock.patch("time.sleep"):
            self.assertEqual(next(self.client.stream()).data, "short")


if __name__ == "__main__":
    unittest.main()
