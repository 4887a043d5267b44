# What the server leans on: the database, platforms, and its own ways of telling.
DASHBOARD = d = Dashboard(
    "actor-server-downstreams", "actor-server: downstreams", "The database, the platforms and the alert channels: whether they answer, how fast, and what waits for them.",
    [INSTANCE, variable("dependency", "Dependency", "label_values(botticelli_connection_status, dependency)")],
)  # fmt: skip
I = 'instance=~"$instance"'
D = f'{I}, dependency=~"$dependency"'

d.number("Do not answer", "none", "Dependencies that did not answer what was asked of them last.", "count(min by (dependency) (botticelli_connection_status) == 0) or on () vector(0)", steps={"red": 1}, width=4)
d.number("Breakers not closed", "none", "Circuit breakers that are open or half-open. `ctl tree` lists them.", "count(max by (dependency) (botticelli_circuit_state) > 0) or on () vector(0)", steps={"red": 1}, width=4)
d.number("Posts that wait", "none", "Posts that are stored and neither sent nor given up, of all processes.", "max(botticelli_outbox_size)", steps={"orange": 20, "red": 100}, width=4)
d.number("Writes that wait", "none", "Writes that wait for the database. Past results_in_memory they are lost.", f"sum(botticelli_persistence_queue_size{{{I}}})", steps={"orange": 100, "red": 1000}, width=4)
d.number("Last beat", "s", "How long ago the database took the last beat of the process that is furthest behind. On PostgreSQL it beats every second, and a lease lasts 4 s; on SQLite every ten.", f"max(time() - botticelli_heartbeat_timestamp{{{I}}})", steps={"orange": 20, "red": 45}, width=4)
d.number("Results lost", "none", "Within the time shown: the database was away for longer than results_in_memory bridges.", f"sum(increase(botticelli_results_lost_total{{{I}}}[$__range]))", steps={"red": 1}, width=4)

d.row("Whether they answer")
d.panel("state-timeline", "Connections", "none", "Whether each dependency answered what was asked of it last, at the process that sees it worst.", [(f"min by (dependency) (botticelli_connection_status{{{D}}})", "{{dependency}}")], words={0: ("away", "red"), 1: ("answers", "green")})
d.panel("state-timeline", "Circuit breakers", "none", "Of each platform as a whole, and of each channel. A line without a name: no bot posts where there is one.", [("max by (dependency) (botticelli_circuit_state) or on () vector(0)", "{{dependency}}")], words={0: ("closed", "green"), 1: ("half-open", "yellow"), 2: ("open", "red")})
d.lines("Requests", "ops", "Requests a second, by dependency and by how they ended.", (f"sum by (dependency, outcome) (rate(botticelli_dependency_request_duration_seconds_count{{{D}}}[$__rate_interval]))", "{{dependency}}: {{outcome}}"))
d.lines("How long requests take", "s", "95 of 100 requests take no longer than this.", (f"histogram_quantile(0.95, sum by (dependency, le) (rate(botticelli_dependency_request_duration_seconds_bucket{{{D}}}[$__rate_interval])))", "{{dependency}}"))
d.lines("Tried again", "ops", "Times a second that a dependency which did not answer was asked again.", (f"sum by (dependency) (rate(botticelli_reconnect_attempts_total{{{D}}}[$__rate_interval])) or on () vector(0)", "{{dependency}}"))
d.lines("Bots without what they need", "none", "Bots whose database or platform is not healthy.", ("count by (dependency) (min by (actor, dependency) (botticelli_actor_dependency_health_status) == 0) or on () vector(0)", "{{dependency}}"))

d.row("What waits, and what was lost")
d.lines("Posts that wait", "none", "Posts that are stored and neither sent nor given up.", ("max(botticelli_outbox_size)", "posts"), width=8)
d.lines("Writes that wait", "none", "Writes of each process that wait for the database.", (f"sum by (instance) (botticelli_persistence_queue_size{{{I}}})", "{{instance}}"), width=8)
d.lines("Refused and lost results", "none", "Within five minutes. Refused: another process had taken the run over. Lost: the bound of memory was passed.", (f"sum(increase(botticelli_results_fenced_total{{{I}}}[5m]))", "refused"), (f"sum(increase(botticelli_results_lost_total{{{I}}}[5m]))", "lost"), width=8)

d.row("The server's own alerts and pings")
d.lines("Alerts", "none", "Notices within five minutes, by channel and by what became of them.", (f"sum by (channel, outcome) (increase(botticelli_alerts_total{{{I}}}[5m])) or on () vector(0)", "{{channel}}: {{outcome}}"), width=6)
d.lines("Open incidents", "none", "What is wrong now, by kind.", ("max by (kind) (botticelli_alerts_open) or on () vector(0)", "{{kind}}"), width=6)
d.lines("Alerts that wait", "none", "Deliveries that wait for their channel.", ("max(botticelli_alerts_queued)", "deliveries"), width=6)
d.lines("Dead-man pings", "ops", "Pings a second, by whether they were taken.", (f"sum by (outcome) (rate(botticelli_pings_total{{{I}}}[$__rate_interval])) or on () vector(0)", "{{outcome}}"), width=6)
