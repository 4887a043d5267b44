"""What operators have had for long: a script of a few lines over the control API, with nothing but the standard library.

It is not changed when the server is. `ACTOR_SERVER_URL` and `ACTOR_SERVER_TOKEN` say where and who.
"""

import json
import os
import time
import urllib.error
import urllib.request

BASE = os.environ["ACTOR_SERVER_URL"]
TOKEN = os.environ["ACTOR_SERVER_TOKEN"]


def call(method, path, body=None, token=TOKEN):
    request = urllib.request.Request(BASE + path, method=method)
    if token:
        request.add_header("Authorization", "Bearer " + token)
    if body is not None:
        request.add_header("Content-Type", "application/json")
        request.data = json.dumps(body).encode()
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def get(path):
    status, document = call("GET", path, token=None)
    assert status == 200, (path, status, document)
    return document


def post(path, body=None):
    status, document = call("POST", path, body)
    assert status == 200, (path, status, document)
    return document


def has(document, **kinds):
    for name, kind in kinds.items():
        assert name in document, (name, document)
        assert document[name] is None or isinstance(document[name], kind), (name, document[name])


def check_health():
    assert get("/health/live")["status"] == "ok"
    ready = get("/health/ready")
    assert ready["status"] == "ready"
    assert ready["checks"] == {"database": True, "actors_loaded": True}
    assert get("/health/startup")["status"] == "started"
    assert get("/api/v1/health/live")["status"] == "ok"
    assert get("/health")["status"] in ("healthy", "degraded")


def check_lists():
    actors = get("/api/v1/actors")
    assert [actor["name"] for actor in actors] == ["failing", "healthy", "listener", "off", "paused"]
    for actor in actors + [get("/api/v1/actors/healthy")]:
        has(actor, name=str, enabled=bool, is_paused=bool, consecutive_failures=int, last_run=str, next_run=str, schedule_type=str)
    status = get("/api/v1/actors/healthy/status")
    has(status, actor=str, is_paused=bool, consecutive_failures=int, last_run=str, next_run=str, recent_executions=int)
    assert status["recent_success_rate"].endswith("%")


def check_pause_and_resume():
    for _ in range(2):
        paused = post("/api/v1/actors/paused/pause", {"reason": "maintenance"})
        assert paused["is_paused"] and paused["hold"]["reason"] == "maintenance", paused
    assert get("/api/v1/actors/paused/status")["is_paused"]
    for _ in range(2):
        assert not post("/api/v1/actors/paused/resume")["is_paused"]
    post("/api/v1/actors/paused/pause")


def check_trigger():
    started = post("/api/v1/actors/paused/trigger")
    assert started["message"] == "Triggered execution for actor 'paused'", started
    run = get("/api/v1/executions/%d" % started["execution_id"])
    deadline = time.monotonic() + 20
    while run["completed_at"] is None and time.monotonic() < deadline:
        time.sleep(0.05)
        run = get("/api/v1/executions/%d" % started["execution_id"])
    assert run["success"] is True and run["error_message"] is None, run


def check_executions():
    for path in ("/api/v1/executions", "/api/v1/executions?limit=5&offset=1", "/api/v1/executions/actor/healthy"):
        runs = get(path)
        assert runs, path
        for run in runs:
            has(run, id=int, task_id=str, actor_name=str, started_at=str, completed_at=str, success=bool)
            has(run, skills_succeeded=int, skills_failed=int, error_message=str)
    assert all(run["task_id"] == "healthy" for run in get("/api/v1/executions/actor/healthy"))


def check_refusals():
    for method, path, body, token, wanted in (
        ("POST", "/api/v1/actors/healthy/pause", {}, None, 401),
        ("POST", "/api/v1/actors/healthy/pause", {}, "not.a.token", 401),
        ("POST", "/api/v1/actors/nobody/pause", {}, TOKEN, 404),
        ("GET", "/api/v1/actors/nobody", None, None, 404),
        ("GET", "/api/v1/nothing", None, None, 404),
        ("DELETE", "/api/v1/actors", None, TOKEN, 405),
    ):
        status, problem = call(method, path, body, token)
        assert status == wanted == problem["status"], (method, path, status, problem)


def check_reload():
    assert post("/api/v1/config/reload")["message"] == "Configuration reload triggered"


if __name__ == "__main__":
    for name, check in list(globals().items()):
        if name.startswith("check_"):
            check()
