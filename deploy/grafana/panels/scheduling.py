# Do runs start when they should, and if not, why.
DASHBOARD = d = Dashboard(
    "actor-server-scheduling", "actor-server: scheduling", "When runs start, what waits, and which slots did not run.", [INSTANCE]
)
I = 'instance=~"$instance"'

d.number("Bots at work", "none", "Bots that have a next slot, and neither a hold nor enabled = false.", "max(botticelli_tasks_scheduled)", width=4)
d.number("Bots held", "none", "Bots that have a hold, of whatever kind.", "max(botticelli_tasks_paused)", steps={"orange": 1}, width=4)
d.number("Replicas", "none", "Processes with a good lease on the database; 1 on SQLite.", "max(botticelli_replicas)", width=4)
d.number("Runs now", "none", "Runs at work; each process has max_parallel_tasks places.", f"sum(botticelli_active_actors{{{I}}})", width=4)
d.number("Runs that wait", "none", "Due, and waiting for a free place or for an earlier run of their bot.", f"sum(botticelli_runs_waiting{{{I}}})", steps={"orange": 1}, width=4)
d.number("Starts later than 5 s", "percentunit", "Of the starts of the time shown.", f'1 - sum(increase(botticelli_schedule_lateness_seconds_bucket{{{I}, le=~"5(.0)?"}}[$__range])) / sum(increase(botticelli_schedule_lateness_seconds_count{{{I}}}[$__range]))', steps={"orange": 0.001, "red": 0.01}, width=4)

d.row("Lateness")
d.panel("heatmap", "Lateness of starts", "s", "How many runs started how late. The lowest band is 5 ms.", [(f"sum by (le) (increase(botticelli_schedule_lateness_seconds_bucket{{{I}}}[$__rate_interval]))", "{{le}}")])
d.lines("Lateness of starts", "s", "Start of a run minus the moment it was due (slot plus jitter).", (f"histogram_quantile(0.5, sum by (le) (rate(botticelli_schedule_lateness_seconds_bucket{{{I}}}[$__rate_interval])))", "one of two"), (f"histogram_quantile(0.99, sum by (le) (rate(botticelli_schedule_lateness_seconds_bucket{{{I}}}[$__rate_interval])))", "99 of 100"), (f"sum(rate(botticelli_schedule_lateness_seconds_sum{{{I}}}[$__rate_interval])) / sum(rate(botticelli_schedule_lateness_seconds_count{{{I}}}[$__rate_interval]))", "mean"), steps={"red": 5})
d.lines("Starts", "ops", "Starts of slots a second.", (f"sum by (instance) (rate(botticelli_schedule_lateness_seconds_count{{{I}}}[$__rate_interval]))", "{{instance}}"), stack=True)
d.lines("Places", "none", "Runs at work, and runs that wait for a place or for an earlier run of their bot.", (f"sum(botticelli_active_actors{{{I}}})", "at work"), (f"sum(botticelli_runs_waiting{{{I}}})", "waiting"))

d.row("Slots that did not run")
d.lines("Missed and skipped", "ops", "Slots a second that did not run, or that a gate ended.", ('sum by (outcome) (rate(botticelli_slots_total{outcome=~"missed|skipped|abandoned"}[$__rate_interval])) or on () vector(0)', "{{outcome}}"), width=8)
d.table("Missed slots, by bot", "none", "Over the time shown. Too late by misfire_threshold_seconds, or older than the catch-up window.", 'topk(20, sum by (actor) ((botticelli_slots_total{outcome="missed"} unless botticelli_slots_total{outcome="missed"} offset $__range) or increase(botticelli_slots_total{outcome="missed"}[$__range])) > 0) or on () vector(0)', width=8, links=[("This bot", "/d/actor-server-bot?var-actor=${__data.fields.actor}&${__url_time_range}")])
d.table("The next runs", "s", "The twenty bots that run next, and in how many seconds. Negative: overdue.", "bottomk(20, max by (actor) (botticelli_next_run_timestamp) - time())", width=8, links=[("This bot", "/d/actor-server-bot?var-actor=${__data.fields.actor}&${__url_time_range}")])
