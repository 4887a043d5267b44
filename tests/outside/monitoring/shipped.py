"""What can be said of the shipped files of deploy/ and docs/runbooks without running anything of ours."""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import textwrap

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent.parent
DEPLOY, RUNBOOKS = ROOT / "deploy", ROOT / "docs" / "runbooks"
# The kinds of the server's own alerts: each has a page too.
KINDS = {"failures", "held", "missed", "given_up", "stalled", "breaker_open", "dead_posts", "digest", "test"}
# Where Alertmanager sends what.
ROUTES = {
    "alertname=Watchdog severity=none service=monitoring": "watchdog",
    "alertname=BotStalled severity=critical service=actor-server actor=daily": "page",
    "alertname=SlotMissed severity=warning service=actor-server actor=daily": "chat",
    "alertname=SeriesDropped severity=info service=actor-server": "chat",
    "alertname=SomethingElse": "chat",
}


def run(*command, folder=DEPLOY):
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}")
    return done.stdout


def blocks(path):
    """The text of each alert in a file of rules, by name."""
    parts = re.split(r"^ +- alert: (\w+)$", path.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def check_rules():
    run("promtool", "check", "config", "prometheus/prometheus.yml")
    run("promtool", "test", "rules", *sorted((DEPLOY / "prometheus" / "tests").glob("*.yml")))
    cases = "".join(p.read_text() for p in (DEPLOY / "prometheus" / "tests").glob("*.yml"))
    pages = set()
    for path in sorted((DEPLOY / "prometheus" / "rules").glob("*.yml")):
        for alert, text in blocks(path).items():
            for part in ("severity:", "service:", "summary:", "description:", "runbook_url:"):
                assert part in text, f"{path.name}: {alert} has no {part}"
            pages.add(re.search(r'runbook_url: "\{\{ \$externalLabels\.runbooks \}\}/docs/runbooks/(\w+)\.md"', text)[1])
            assert f"{alert} fires: " in cases, f"no test in which {alert} fires"
            assert f"{alert} is silent: " in cases, f"no test in which {alert} is silent"
    return pages


def check_prometheus_rule():
    """What is made for the Prometheus Operator has the same rules, and links that lead somewhere."""
    text = run(sys.executable, ROOT / "scripts" / "make-prometheus-rule", "https://git.example.org/main/")
    groups = "groups:\n" + textwrap.dedent(text.split("\n  groups:\n")[1])
    assert "externalLabels" not in groups and 'runbook_url: "https://git.example.org/main/docs/runbooks/' in groups
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        file.write(groups)
        file.flush()
        run("promtool", "check", "rules", file.name)


def check_runbooks(pages):
    there = {p.stem for p in RUNBOOKS.glob("*.md")} - {"README"}
    wanted = pages | KINDS
    assert there == wanted, f"docs/runbooks: missing {sorted(wanted - there)}, of no alert {sorted(there - wanted)}"
    index = (RUNBOOKS / "README.md").read_text()
    for page in sorted(there):
        text = (RUNBOOKS / f"{page}.md").read_text()
        assert f"({page}.md)" in index, f"docs/runbooks/README.md does not list {page}.md"
        for heading in ("## Meaning", "## First look", "## Causes", "## Cure", "## Over when"):
            assert f"\n{heading}\n" in text, f"docs/runbooks/{page}.md has no {heading}"


def check_alertmanager():
    run("amtool", "check-config", "alertmanager/alertmanager.yml")
    for labels, receiver in ROUTES.items():
        command = ["amtool", "config", "routes", "test", "--config.file=alertmanager/alertmanager.yml", f"--verify.receivers={receiver}"]
        run(*command, *labels.split())


def dashboards():
    return {path.name: json.loads(path.read_text()) for path in sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))}


def check_dashboards():
    run(sys.executable, ROOT / "scripts" / "make-dashboards", "--check")
    made = dashboards()
    uids = [d["uid"] for d in made.values()]
    assert len(set(uids)) == len(uids) >= 6, uids
    for name, dashboard in made.items():
        ids = [p["id"] for p in dashboard["panels"]]
        assert len(set(ids)) == len(ids), f"{name}: two panels have one id"
        for uid in re.findall(r"/d/([\w-]+)", json.dumps(dashboard)):
            assert uid in uids, f"{name} links {uid}, which is no dashboard"
        for panel in dashboard["panels"]:
            check_panel(f"{name}: {panel['title']!r}", panel)


def check_panel(where, panel):
    if panel["type"] == "row":
        return
    assert panel["description"].endswith("."), f"{where} has no description"
    assert panel["fieldConfig"]["defaults"]["unit"], f"{where} has no unit"
    assert panel["targets"], f"{where} asks nothing"
    for target in panel["targets"]:
        assert target["datasource"]["uid"] == "${datasource}", f"{where} does not follow the chosen data source"
        window = re.search(r"\[(\$__interval|[0-9]+s)\]", target["expr"])
        assert not window, f"{where}: {window and window[0]} hides data when zoomed; say $__rate_interval"


def check():
    check_runbooks(check_rules())
    check_prometheus_rule()
    check_alertmanager()
    check_dashboards()


if __name__ == "__main__":
    check()
