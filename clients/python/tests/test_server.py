"""Against a real server, if ``ACTOR_SERVER_URL`` is set: it is only looked at.

With ``ACTOR_SERVER_TEST_BOT`` that bot is paused, resumed and run as well; the token has to be an operator's then.
"""

from __future__ import annotations

import os
import unittest
from datetime import datetime, timedelta, timezone

from actor_server_client import BadRequestError, Client, ConflictError, ForbiddenError, NotFoundError, UnauthorizedError


@unittest.skipUnless(os.environ.get("ACTOR_SERVER_URL"), "ACTOR_SERVER_URL is not set")
class RealServer(unittest.TestCase):
    def setUp(self) -> None:
        self.client = Client()

    def test_it_is_alive_and_says_how_it_is(self) -> None:
        self.assertEqual(self.client.probe("live").status, "ok")
        self.assertIn(self.client.health().status, ("healthy", "degraded", "unhealthy"))

    def test_its_bots_and_their_runs_are_understood(self) -> None:
        actors = self.client.actors()
        self.assertEqual([one.name for one in actors], [one.name for one in self.client.iter_actors(limit=2)])
        for actor in actors[:5]:
            self.assertEqual(self.client.actor(actor.name).name, actor.name)
            self.assertEqual(self.client.status(actor.name).actor, actor.name)
            for run in self.client.executions(actor=actor.name, include="all", limit=5):
                self.assertEqual(run.task_id, actor.name)
                self.assertEqual(self.client.execution(run.id).id, run.id)

    def test_its_tree_is_understood(self) -> None:
        self.assertTrue(self.client.supervision().actors)

    def test_what_is_not_there_is_a_problem_with_an_id(self) -> None:
        with self.assertRaises(NotFoundError) as caught:
            self.client.actor("there-is-no-such-bot")
        self.assertTrue(caught.exception.request_id)

    def test_nobody_gets_in_without_a_token(self) -> None:
        stranger = Client(token="", retries=0)
        with self.assertRaises((UnauthorizedError,)):
            stranger.config()


@unittest.skipUnless(os.environ.get("ACTOR_SERVER_TEST_BOT"), "ACTOR_SERVER_TEST_BOT is not set")
class RealBot(unittest.TestCase):
    def setUp(self) -> None:
        self.client = Client()
        self.bot = os.environ["ACTOR_SERVER_TEST_BOT"]

    def test_it_is_paused_with_a_reason_and_an_end_and_resumed(self) -> None:
        until = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(hours=2)
        for _ in range(2):
            hold = self.client.pause(self.bot, reason="by the tests", until=until).hold
            self.assertEqual((hold.kind, hold.reason, hold.until), ("manual", "by the tests", until))
        self.assertIn(self.bot, [one.name for one in self.client.actors(paused=True)])
        for _ in range(2):
            self.assertIsNone(self.client.resume(self.bot).hold)
        with self.assertRaises(BadRequestError):
            self.client.pause(self.bot, until=datetime(2001, 1, 1, tzinfo=timezone.utc))

    def test_it_runs_by_hand_once(self) -> None:
        started = self.client.trigger(self.bot, note="by the tests", dry_run=True)
        run = self.client.wait(started.execution_id, timeout=30, every=0.05)
        self.assertEqual((run.status, run.trigger), ("succeeded", "manual"))
        with self.assertRaises(ConflictError):
            self.client.cancel(run.id)

    def test_what_happens_is_told_while_other_bots_run(self) -> None:
        with self.client.stream(events="run_ended") as stream:
            happening = next(stream)
        self.assertEqual(happening.kind, "run_ended")
        self.assertEqual(self.client.execution(happening.json()["execution_id"]).task_id, happening.json()["actor"])

    def test_knowledge_is_added_listed_and_removed(self) -> None:
        table = "of-the-python-client"
        added = self.client.add_content(table, [{"body": "one"}, {"body": "two"}])
        self.assertEqual(len(added.ids), 2)
        self.assertEqual(self.client.delete_content(table, added.ids[0]).removed, 1)
        self.assertEqual([item.body for item in self.client.content(table)], ["two"])
        self.assertEqual(self.client.clear_content(table).removed, 1)

    def test_what_only_an_administrator_may_is_refused(self) -> None:
        with self.assertRaises(ForbiddenError):
            self.client.reload(dry_run=True)


if __name__ == "__main__":
    unittest.main()
