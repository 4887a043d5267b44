"""The world around the server and Alertmanager: Discord's API, a chat, PagerDuty, and whoever takes webhooks and pings."""

import http.server
import json
import threading
import time

DISCORD = {
    "1001": (200, {"id": "1"}),
    "1002": (500, {"message": "the channel is broken"}),
    "1003": (403, {"message": "Missing Permissions", "code": 50013}),
}


class Handler(http.server.BaseHTTPRequestHandler):
    """Keeps what arrives, by path."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.server.heard.append((self.path, ""))
        self.answer(200, {})

    def do_HEAD(self):
        self.answer(200, {})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = self.path.split("/")
        if self.path.startswith("/api/v10/channels/"):
            self.answer(*DISCORD[parts[4]])
            return
        self.server.heard.append((self.path, body.decode(errors="replace")))
        # PagerDuty answers 202 with a status, chats and receivers of webhooks with whatever is 2xx.
        self.answer(202 if "pagerduty" in self.path else 200, {"status": "success", "ok": True})

    def answer(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class StandIns(http.server.ThreadingHTTPServer):
    """All of them, on one free port of this machine."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.heard = []
        self.url = "http://127.0.0.1:%d" % self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def hears(self, path, *words, deadline):
        """Waits for something that has come to this path and has all these words in it."""
        while time.monotonic() < deadline:
            for at, body in list(self.heard):
                if at.startswith(path) and all(word in body for word in words):
                    return body
            time.sleep(0.1)
        came = [(at, body[:500]) for at, body in self.heard if at.startswith(path)]
        raise SystemExit(f"nothing with {words} came to {path}; what came there last: {came[-5:]}")
