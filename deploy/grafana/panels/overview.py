# The first page: is anything wrong, and where.
DASHBOARD = d = Dashboard(
    "actor-server-overview", "actor-server: overview", "What every bot did, what did not run, and whether the server can do its work."
)
BOT = [("This bot", "/d/actor-server-bot?var-actor=${__data.fields.actor}&${__url_time_range}")]

d.number("Processes that answer", "none", "Processes that Prometheus could scrape.", 'count(up{job="botticelli-actor-server"} == 1) or on () vector(0)', steps={"red": 0, "light-green": 1})
d.number("Alerts", "none", "Alerts that fire now, the watchdog left out.", 'count(ALERTS{alertstate="firing", service="actor-server"}) or on () vector(0)', steps={"orange": 1, "red": 5})
d.number("Bots at work", "none", "Bots that have a next slot, and neither a hold nor enabled = false.", "max(botticelli_tasks_scheduled)")
d.number("Bots held", "none", "Bots that have a hold: set by an operator, or by the server because of trouble.", "max(botticelli_tasks_paused)", steps={"orange": 1})
d.number("Runs now", "none", "Runs at work in all processes.", "sum(botticelli_active_actors)")
d.number("Missed slots, 24 h", "none", "Slots that were too late to run. They are not made up for.", 'sum((botticelli_slots_total{outcome="missed"} unless botticelli_slots_total{outcome="missed"} offset 24h) or increase(botticelli_slots_total{outcome="missed"}[24h])) or on () vector(0)', steps={"orange": 1, "red": 10})
d.number("Runs that succeed, 24 h", "percentunit", "Of the runs that ended with success or failure; runs that a gate ended are left out.", 'sum(increase(botticelli_actor_executions_total{status="success"}[24h])) / sum(increase(botticelli_actor_executions_total{status=~"success|failure"}[24h]))', steps={"red": 0, "orange": 0.8, "light-green": 0.95})
d.number("Breakers not closed", "none", "Circuit breakers of downstreams that are open or half-open.", "count(max by (dependency) (botticelli_circuit_state) > 0) or on () vector(0)", steps={"red": 1})

d.row("Runs")
d.lines("Runs", "ops", "Ended runs a second, by how they ended.", ("sum by (status) (rate(botticelli_actor_executions_total[$__rate_interval]))", "{{status}}"), stack=True)
d.lines("Slots", "ops", "Slots that the ledger accounts for, a second, by what became of them.", ("sum by (outcome) (rate(botticelli_slots_total[$__rate_interval]))", "{{outcome}}"), stack=True)
d.lines("Lateness of starts", "s", "Start of a run minus the moment it was due.", ("histogram_quantile(0.99, sum by (le) (rate(botticelli_schedule_lateness_seconds_bucket[$__rate_interval])))", "99 of 100"), ("histogram_quantile(0.5, sum by (le) (rate(botticelli_schedule_lateness_seconds_bucket[$__rate_interval])))", "one of two"), steps={"red": 5})
d.lines("Failures, by bot", "ops", "The ten bots that fail most.", ('topk(10, sum by (actor) (rate(botticelli_actor_executions_total{status="failure"}[$__rate_interval])))', "{{actor}}"))

d.row("Bots that are not well")
d.table("Failed runs in a row", "none", "Bots whose last runs failed. At max_consecutive_failures a bot is held.", "topk(20, max by (actor) (botticelli_consecutive_failures) > 0) or on () vector(0)", width=8, links=BOT, steps={"orange": 1, "red": 3})
d.table("Held", "none", "Bots with a hold, of whatever kind; `ctl list --paused` says why.", "max by (actor) (botticelli_actor_paused) == 1 or on () vector(0)", width=8, links=BOT)
d.table("Overdue", "s", "How long the next slot of a bot is past without anything done about it. More than a few seconds is trouble.", "topk(20, (time() - max by (actor) (botticelli_next_run_timestamp) > 1) unless on (actor) (max by (actor) (botticelli_actor_paused) == 1)) or on () vector(0)", width=8, links=BOT, steps={"orange": 10, "red": 120})

d.row("What it leans on")
d.lines("Does not answer", "none", "Dependencies that did not answer what was asked of them last, by how many processes see it so.", ("sum by (dependency) (1 - botticelli_connection_status)", "{{dependency}}"), width=8)
d.lines("Posts and writes that wait", "none", "Posts that are stored and not sent, and writes that wait for the database.", ("max(botticelli_outbox_size)", "posts"), ("sum(botticelli_persistence_queue_size)", "writes"), width=8)
d.lines("Restarts of actors", "none", "Restarts within the last five minutes, by type.", ("sum by (actor_type) (increase(botticelli_actor_restarts_total[5m])) or on () vector(0)", "{{actor_type}}"), width=8)
