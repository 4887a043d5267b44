# The actor system: who talks to whom, how long messages wait, what dies.
DASHBOARD = d = Dashboard(
    "actor-server-actors", "actor-server: actors and supervision", "Messages between actors, their queues, and what the supervisor does. `ctl tree` shows the tree by name.", [INSTANCE]
)
I = 'instance=~"$instance"'

d.row("Messages")
d.lines("Messages", "ops", "Handled messages a second, by the type of the actor that handles them.", (f"sum by (actor_type) (rate(botticelli_actor_messages_total{{{I}}}[$__rate_interval]))", "{{actor_type}}"), stack=True)
d.lines("Wait before handling", "s", "99 of 100 messages wait no longer than this, from being sent to being begun with.", (f"histogram_quantile(0.99, sum by (actor_type, le) (rate(botticelli_actor_message_latency_seconds_bucket{{{I}}}[$__rate_interval])))", "{{actor_type}}"), steps={"red": 1})
d.lines("Messages that wait", "none", "Messages sent and not yet handled: the depth of all mailboxes of a type.", (f"sum by (actor_type) (botticelli_actor_mailbox_size{{{I}}})", "{{actor_type}}"), steps={"red": 100})
d.lines("Messages, by kind", "ops", "The ten most frequent kinds.", (f"topk(10, sum by (actor_type, message) (rate(botticelli_actor_messages_total{{{I}}}[$__rate_interval])))", "{{actor_type}}: {{message}}"))
d.table("Who talks to whom", "ops", "Messages a second over the time shown, by sender, receiver and kind.", f"sort_desc(sum by (from_actor, to_actor, message_type) (rate(botticelli_inter_actor_message_latency_seconds_count{{{I}}}[$__range])))", value="Messages a second")
d.table("How long they wait", "s", "Mean wait of each kind over the time shown, from being sent to being begun with.", f"sort_desc(sum by (from_actor, to_actor, message_type) (rate(botticelli_inter_actor_message_latency_seconds_sum{{{I}}}[$__range])) / sum by (from_actor, to_actor, message_type) (rate(botticelli_inter_actor_message_latency_seconds_count{{{I}}}[$__range])))", value="Mean wait")

d.row("Supervision tree")
d.number("Restarts", "none", "Restarts of actors within the time shown.", f"sum((botticelli_actor_restarts_total{{{I}}} unless botticelli_actor_restarts_total{{{I}}} offset $__range) or increase(botticelli_actor_restarts_total{{{I}}}[$__range])) or on () vector(0)", steps={"orange": 1, "red": 10}, width=6)
d.number("Given up", "none", "Actors whose restart budget was spent within the time shown.", f'sum((botticelli_actor_lifecycle_transitions_total{{{I}, to_state="given_up"}} unless botticelli_actor_lifecycle_transitions_total{{{I}, to_state="given_up"}} offset $__range) or increase(botticelli_actor_lifecycle_transitions_total{{{I}, to_state="given_up"}}[$__range])) or on () vector(0)', steps={"red": 1}, width=6)
d.number("Actors that run", "none", "Actors that were started and are neither at rest nor gone, by the transitions counted.", f'sum(botticelli_actor_lifecycle_transitions_total{{{I}, to_state="running"}}) - (sum(botticelli_actor_lifecycle_transitions_total{{{I}, from_state="running"}}) or on () vector(0))', width=6)
d.number("Messages that wait", "none", "In all mailboxes.", f"sum(botticelli_actor_mailbox_size{{{I}}})", steps={"orange": 100, "red": 1000}, width=6)
d.lines("Restarts, by reason", "none", "Restarts within five minutes. `panic`: it panicked; `unresponsive`: it did not answer heartbeats; `thread_gone`: its thread ended; `stopped`: it stopped by itself.", (f"sum by (actor_type, reason) (increase(botticelli_actor_restarts_total{{{I}}}[5m])) or on () vector(0)", "{{actor_type}}: {{reason}}"), width=8)
d.lines("Restarts, by supervisor", "none", "Who restarted whom within five minutes. `root` rebuilds the coordinator, and with it all that lean on it.", (f"sum by (supervisor, child_actor, restart_reason) (increase(botticelli_supervision_tree_restarts_total{{{I}}}[5m])) or on () vector(0)", "{{supervisor}} → {{child_actor}}: {{restart_reason}}"), width=8)
d.lines("Lives of actors", "ops", "Transitions a second. Bots' actors go to rest when they have nothing to do, and come back.", (f"sum by (actor_type, from_state, to_state) (rate(botticelli_actor_lifecycle_transitions_total{{{I}}}[$__rate_interval]))", "{{actor_type}}: {{from_state}} → {{to_state}}"), width=8)
