"""Every method asks the right thing and understands the answer."""

from __future__ import annotations

import unittest
from datetime import datetime, timedelta, timezone
from typing import Any, Dict

from actor_server_client import Client, InvalidArgumentError, sign_event

from .stand_in import StandIn

NOW = "2027-01-31T08:00:00.123456Z"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def actor(name: str, **more: Any) -> Dict[str, Any]:
    return {
        "name": name,
        "task_id": name,
        "enabled": True,
        "is_paused": False,
        "consecutive_failures": 0,
        "last_run": NOW,
        "next_run": None,
        "schedule_type": "Cron",
        "schedule": "at 09:00:00 (UTC)",
        "next_slots": [NOW],
        "hold": None,
        "running": [7],
        "a_field_of_tomorrow": {"x": 1},
        **more,
    }


def execution(number: int, status: str) -> Dict[str, Any]:
    return {
        "id": number,
        "task_id": "daily",
        "status": status,
        "started_at": NOW,
        "success": None,
        "skills": [{"name": "content_posting", "status": "succeeded", "detail": None, "duration_ms": 3}],
        "posts": [{"id": 1, "platform": "console", "status": "sent", "posted_at": NOW}],
    }


class Requests(unittest.TestCase):
    def setUp(self) -> None:
        self.server = self.enterContext(StandIn()) if hasattr(self, "enterContext") else self._enter()
        self.client = Client(self.server.url, "a-token", retries=0)

    def _enter(self) -> StandIn:
        server = StandIn()
        server.__enter__()
        self.addCleanup(server.__exit__, None, None, None)
        return server

    def test_bots_are_listed_with_the_filters_that_are_set(self) -> None:
        self.server.answer("GET /api/v1/actors?paused=true&q=da%26y", [actor("daily")], X_Next_Cursor="c")
        page = self.client.actors(paused=True, q="da&y")
        self.assertEqual([one.name for one in page], ["daily"])
        self.assertEqual(page.next_cursor, "c")
        self.assertEqual(page[0].raw["a_field_of_tomorrow"], {"x": 1})
        self.assertEqual(page[0].last_run, datetime(2027, 1, 31, 8, 0, 0, 123456, tzinfo=timezone.utc))
        self.assertEqual(page[0].running, [7])
        self.assertEqual(self.server.asked[0].headers["authorization"], "Bearer a-token")

    def test_posts_are_listed_and_sent_again(self) -> None:
        dead = {"id": 7, "execution_id": 3, "task_id": "daily", "platform": "discord", "status": "dead", "attempts": 3}
        self.server.answer("GET /api/v1/posts?status=dead&limit=5", [dead])
        self.server.answer("GET /api/v1/posts/7", dead)
        self.server.answer("POST /api/v1/posts/7/resend", {**dead, "status": "pending", "attempts": 0})
        (post,) = self.client.posts(status="dead", limit=5)
        self.assertEqual((post.id, post.execution_id, post.task_id), (7, 3, "daily"))
        self.assertEqual(self.client.post(7).status, "dead")
        self.assertEqual(self.client.resend(7).status, "pending")

    def test_a_bot_is_seen_held_resumed_and_run(self) -> None:
        hold = {"kind": "manual", "reason": "holidays", "until": NOW, "by": "ann"}
        self.server.answer("GET /api/v1/actors/daily", actor("daily"))
        self.server.answer(
            "GET /api/v1/actors/daily/status", {"actor": "daily", "recent_executions": 5, "recent_success_rate": "80.0%"}
        )
        self.server.answer("POST /api/v1/actors/daily/pause", actor("daily", is_paused=True, hold=hold))
        self.server.answer("POST /api/v1/actors/daily/resume", actor("daily"))
        self.server.answer("POST /api/v1/actors/resume?kind=failures", {"resumed": ["a"]})
        self.server.answer("POST /api/v1/actors/daily/trigger", {"message": "m", "timestamp": NOW, "execution_id": 9})
        client = self.client
        self.assertIsNone(client.actor("daily").next_run)
        self.assertEqual(client.status("daily").recent_success_rate, "80.0%")
        end = datetime(2027, 1, 31, 9, tzinfo=timezone(timedelta(hours=1)))
        paused = client.pause("daily", reason="holidays", until=end)
        assert paused.hold is not None
        self.assertEqual((paused.hold.kind, paused.hold.by), ("manual", "ann"))
        self.assertIsNone(client.resume("daily").hold)
        self.assertEqual(client.resume_all("failures").resumed, ["a"])
        self.assertEqual(client.trigger("daily", content="hi", dry_run=True).execution_id, 9)
        asked = self.server.asked
        self.assertEqual(asked[2].json(), {"reason": "holidays", "until": "2027-01-31T08:00:00Z"})
        self.assertEqual(asked[3].json(), {})
        self.assertEqual(asked[5].json(), {"dry_run": True, "content": {"body": "hi"}})

    def test_runs_are_found_waited_for_and_cancelled(self) -> None:
        query = "actor=daily&status=failed&since=2027-01-31T08%3A00%3A00Z&include=all&limit=2"
        self.server.answer(f"GET /api/v1/executions?{query}", [execution(7, "failed")])
        self.server.answer("GET /api/v1/executions/actor/daily?limit=1", [execution(7, "failed")])
        self.server.answer("GET /api/v1/executions/7", execution(7, "running"))
        self.server.answer("GET /api/v1/executions/7", execution(7, "succeeded"))
        self.server.answer("POST /api/v1/executions/7/cancel", {"execution_id": 7}, 202)
        since = datetime(2027, 1, 31, 8, tzinfo=timezone.utc)
        found = self.client.executions(actor="daily", status="failed", since=since, include="all", limit=2)
        self.assertEqual(found[0].posts[0].platform, "console")
        self.assertEqual(found[0].skills[0].duration_ms, 3)
        self.assertEqual(len(self.client.executions_of("daily", limit=1)), 1)
        self.assertEqual(self.client.wait(7, every=0.001).status, "succeeded")
        self.assertEqual(self.client.cancel(7).execution_id, 7)

    def test_pages_follow_the_cursor_and_leave_a_server_that_goes_in_circles(self) -> None:
        self.server.answer("GET /api/v1/executions?limit=2", [execution(9, "x"), execution(8, "x")], X_Next_Cursor="c+1")
        self.server.answer("GET /api/v1/executions?limit=2&cursor=c%2B1", [execution(7, "x")], X_Next_Cursor="c2")
        self.server.answer("GET /api/v1/executions?limit=2&cursor=c2", [], X_Next_Cursor="c2")
        self.assertEqual([run.id for run in self.client.iter_executions(limit=2)], [9, 8, 7])
        self.server.answer("GET /api/v1/actors?limit=200", [actor("a")])
        self.server.answer("GET /api/v1/audit?action=pause&limit=200", [{"id": 3, "at": NOW, "subject": "ann"}])
        self.server.answer("GET /api/v1/content/posts?limit=200", [{"id": 4, "body": "hi"}])
        self.assertEqual([one.name for one in self.client.iter_actors()], ["a"])
        self.assertEqual([one.subject for one in self.client.iter_audit(action="pause")], ["ann"])
        self.assertEqual([one.body for one in self.client.iter_content("posts")], ["hi"])

    def test_the_server_is_looked_after(self) -> None:
        plan = {"added": [{"actor": "new", "keys": ["schedule"]}], "needs_restart": ["http.api"]}
        self.server.answer("GET /api/v1/config", {"auth": {"events_secret": "***"}})
        self.server.answer("POST /api/v1/config/reload", {"message": "m", "dry_run": True, "plan": plan})
        tree = {
            "actors": [{"name": "scheduler", "state": "running", "restarts": None}],
            "breakers": [{"dependency": "discord", "state": "open"}],
            "replicas": None,
            "replicas_error": "away",
        }
        self.server.answer("GET /api/v1/supervision", tree)
        self.server.answer("POST /api/v1/breakers/web%20hook/reset", {"dependency": "web hook"})
        self.assertEqual(self.client.config()["auth"]["events_secret"], "***")
        reload = self.client.reload(dry_run=True)
        self.assertEqual((reload.plan.added[0].actor, reload.plan.needs_restart), ("new", ["http.api"]))
        self.assertEqual(self.server.asked[1].json(), {"dry_run": True})
        supervision = self.client.supervision()
        self.assertEqual((supervision.breakers[0].state, supervision.replicas), ("open", []))
        self.client.reset_breaker("web hook")

    def test_alerts_are_read_and_tried(self) -> None:
        incident = {"incident": "failures/daily", "severity": "warning", "since": NOW, "count": 3, "new": 1}
        delivery = {"id": 9, "channel": "webhook", "status": "pending", "next_attempt_at": NOW, "sent_at": None}
        self.server.answer("GET /api/v1/alerts?limit=2", {"open": [incident], "deliveries": [delivery]})
        found = self.client.alerts(limit=2)
        self.assertEqual((found.open[0].count, found.open[0].raw["new"]), (3, 1))
        self.assertEqual((found.deliveries[0].status, found.deliveries[0].sent_at), ("pending", None))
        said = [{"channel": "discord", "sent": False, "error": "404"}, {"channel": "webhook", "sent": True, "error": None}]
        self.server.answer("POST /api/v1/alerts/test", {"channels": said, "timestamp": NOW})
        self.assertEqual([(one.channel, one.error) for one in self.client.test_alert().failed], [("discord", "404")])
        self.client.test_alert("webhook")
        self.assertEqual([one.json() for one in self.server.asked[1:]], [{}, {"channel": "webhook"}])

    def test_that_a_server_is_unwell_is_an_answer(self) -> None:
        part = {"status": "unhealthy", "reason": "away", "since": NOW}
        whole = {"status": "unhealthy", "components": {"database": part}}
        self.server.answer("GET /health", whole, 503, Content_Type="application/json")
        not_ready = {"status": "not_ready", "timestamp": NOW, "checks": {"database": False}}
        self.server.answer("GET /health/ready", not_ready, 503, Content_Type="application/json")
        health = self.client.health()
        self.assertEqual((health.status, health.components["database"].reason), ("unhealthy", "away"))
        self.assertFalse(self.client.probe("ready").checks["database"])

    def test_knowledge_is_added_and_removed(self) -> None:
        self.server.answer("POST /api/v1/content/posts", {"count": 1, "ids": [4]}, 201)
        self.server.answer("DELETE /api/v1/content/posts?id=4", {"removed": 1})
        self.server.answer("DELETE /api/v1/content/posts?all=true", {"removed": 9})
        self.server.answer("GET /api/v1/content", [{"table": "posts", "items": 3, "waiting": 1, "newest": NOW}])
        table = self.client.content_tables()[0]
        self.assertEqual((table.table, table.items, table.waiting, table.expired), ("posts", 3, 1, 0))
        self.assertEqual(self.client.add_content("posts", [{"body": "Grüße", "tags": ["a"]}]).ids, [4])
        self.assertEqual(self.client.delete_content("posts", 4).removed, 1)
        self.assertEqual(self.client.clear_content("posts").removed, 9)
        self.assertEqual(self.server.asked[1].json(), [{"body": "Grüße", "tags": ["a"]}])

    def test_an_event_goes_with_a_token_or_with_a_signature(self) -> None:
        taken = {"executions": [{"actor": "daily", "execution_id": 5}]}
        self.server.answer("POST /api/v1/events", taken, 202)
        accepted = self.client.send_event("build.done", "ci", {"n": 1}, idempotency_key="k-1")
        self.assertEqual(accepted.executions[0].execution_id, 5)
        at = datetime.fromtimestamp(1800000000, timezone.utc)
        self.client.send_signed_event("build.done", "ci", {"n": 1}, secret=SECRET, message_id="msg_1", at=at)
        first, second = self.server.asked
        self.assertEqual(first.headers["idempotency-key"], "k-1")
        self.assertEqual(first.json(), {"event_type": "build.done", "source": "ci", "payload": {"n": 1}})
        self.assertNotIn("authorization", second.headers)
        expected = sign_event(SECRET, "msg_1", second.body, at)
        for name, value in expected.items():
            self.assertEqual(second.headers[name], value)

    def test_the_specifications_example_has_the_specifications_signature(self) -> None:
        at = datetime.fromtimestamp(1614265330, timezone.utc)
        headers = sign_event(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", '{"test": 2432232314}', at)
        self.assertEqual(headers["webhook-signature"], "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
        for secret in ("", "whsec_", "whsec_*"):
            with self.assertRaises(InvalidArgumentError):
                sign_event(secret, "id", "x")
        for message_id in ("", "a\nb", "é"):
            with self.assertRaises(InvalidArgumentError):
                sign_event(SECRET, message_id, "x")

    def test_what_cannot_be_asked_is_not_asked(self) -> None:
        with self.assertRaises(InvalidArgumentError):
            self.client.pause("daily", until=datetime(2027, 1, 1))
        with self.assertRaises(InvalidArgumentError):
            self.client.send_event("a", "b", float("nan"))
        with self.assertRaises(InvalidArgumentError):
            self.client.send_event("a", "b", idempotency_key="x\r\nHost: evil")
        for name in ("", ".", ".."):
            with self.assertRaises(InvalidArgumentError):
                self.client.resume(name)
        self.assertEqual(self.server.asked, [])
        self.server.answer("POST /api/v1/actors/..%2Fresume%3Fkind%3Dx%23/resume", actor("x"))
        self.client.resume("../resume?kind=x#")


if __name__ == "__main__":
    unittest.main()
