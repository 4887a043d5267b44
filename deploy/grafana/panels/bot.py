# One bot: does it run, does it succeed, how long does it take.
DASHBOARD = d = Dashboard(
    "actor-server-bot", "actor-server: one bot", "What one bot did and will do. Bots past [metrics] max_actor_labels share the name _other.",
    [variable("actor", "Bot", "label_values(botticelli_actor_executions_total, actor)", many=False)], since="now-24h",
)  # fmt: skip

d.number("State", "none", "Whether the bot has a hold. `ctl status BOT` says which, and since when.", 'max(botticelli_actor_paused{actor=~"$actor"})', words={0: ("runs", "green"), 1: ("held", "red")}, width=4)
d.number("Failed runs in a row", "none", "At max_consecutive_failures the bot is held.", 'max(botticelli_consecutive_failures{actor=~"$actor"})', steps={"orange": 1, "red": 3}, width=4)
d.number("Since the last success", "s", "No value before the first success.", 'time() - max(botticelli_last_success_timestamp{actor=~"$actor"})', width=4)
d.number("Until the next run", "s", "Negative: it is overdue. No value when no slot will come.", 'max(botticelli_next_run_timestamp{actor=~"$actor"}) - time()', width=4)
d.number("Runs that succeed, 24 h", "percentunit", "Of the runs that ended with success or failure; runs that a gate ended are left out.", 'sum(increase(botticelli_actor_executions_total{actor=~"$actor", status="success"}[24h])) / sum(increase(botticelli_actor_executions_total{actor=~"$actor", status=~"success|failure"}[24h]))', steps={"red": 0, "orange": 0.8, "light-green": 0.95}, width=4)
d.number("Holds by the server", "none", "Holds that the server set because of trouble, within the time shown.", 'sum(increase(botticelli_circuit_breaker_trips_total{actor=~"$actor"}[$__range]))', steps={"orange": 1}, width=4)

d.row("Runs")
d.lines("Runs", "ops", "Ended runs a second, by how they ended. `skipped`: a gate said no, or the run was cancelled.", ('sum by (status) (rate(botticelli_actor_executions_total{actor=~"$actor"}[$__rate_interval]))', "{{status}}"), stack=True)
d.lines("Slots", "ops", "What became of the slots, a second. `skipped` and `missed` ones did not run.", ('sum by (outcome) (rate(botticelli_slots_total{actor=~"$actor"}[$__rate_interval]))', "{{outcome}}"), stack=True)
d.lines("How long runs take", "s", "From the start of a run to its end, all attempts and the waits between them included.", ('histogram_quantile(0.5, sum by (le) (rate(botticelli_execution_duration_seconds_bucket{actor=~"$actor"}[$__rate_interval])))', "one of two"), ('histogram_quantile(0.95, sum by (le) (rate(botticelli_execution_duration_seconds_bucket{actor=~"$actor"}[$__rate_interval])))', "95 of 100"))
d.lines("Skills", "ops", "Skills of each run's last attempt a second, by how they ended.", ('sum by (status) (rate(botticelli_skills_executed_total{actor=~"$actor"}[$__rate_interval]))', "{{status}}"), stack=True)

d.row("Health")
d.lines("Failed runs in a row", "none", "Grows with each failed run, and falls to 0 with a success or a resume.", ('max(botticelli_consecutive_failures{actor=~"$actor"})', "failures"), width=8, steps={"red": 3})
d.panel("state-timeline", "Hold", "none", "When the bot was held.", [('max(botticelli_actor_paused{actor=~"$actor"})', "hold")], width=8, words={0: ("runs", "green"), 1: ("held", "red")})
d.panel("state-timeline", "What it leans on", "none", "Whether what the bot needs answers: the database, and where it posts.", [('min by (dependency) (botticelli_actor_dependency_health_status{actor=~"$actor"})', "{{dependency}}")], width=8, words={0: ("away", "red"), 1: ("healthy", "green")})
