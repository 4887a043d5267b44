"""Against a real server, if ``ACTOR_SERVER_URL`` is set: it is only looked at."""

from __future__ import annotations

import os
import unittest

from actor_server_client import Client, NotFoundError, UnauthorizedError


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


if __name__ == "__main__":
    unittest.main()
