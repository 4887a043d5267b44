# The process, its listeners, its metrics and its machine.
DASHBOARD = d = Dashboard("actor-server-resources", "actor-server: resources", "Processor, memory, disk, listeners, and what being watched costs.", [INSTANCE])
I = 'instance=~"$instance"'
J = f'job="botticelli-actor-server", {I}'

d.table("What runs", "none", "Version and revision of each process.", f"max by (instance, version, revision) (botticelli_build_info{{{I}}})", height=6)
d.number("Schema", "none", "Number of the newest step of the schema that the database has.", "max(botticelli_schema_version)", width=4)
d.number("Up since", "s", "Age of the youngest process.", f"time() - max(process_start_time_seconds{{{J}}})", width=4)
d.number("Disk left", "bytes", "Where the database file is, or the working directory.", f"min(botticelli_disk_free_bytes{{{I}}})", steps={"red": 0, "orange": 1e9, "light-green": 10e9}, width=4)

d.row("Process")
d.lines("Processor", "percent", "Of one core.", (f"botticelli_cpu_usage_percent{{{I}}}", "{{instance}}"), width=8)
d.lines("Memory", "bytes", "Resident memory.", (f"botticelli_memory_usage_bytes{{{I}}}", "{{instance}}"), width=8)
d.lines("Disk left", "bytes", "Where the database file is, or the working directory.", (f"botticelli_disk_free_bytes{{{I}}}", "{{instance}}"), width=8)
d.lines("File descriptors", "percentunit", "Open ones, of those that the process may have.", (f"process_open_fds{{{J}}} / process_max_fds{{{J}}}", "{{instance}}"), width=8, steps={"red": 0.8})
d.lines("Threads", "none", "Threads of the process.", (f"process_threads{{{J}}}", "{{instance}}"), width=8)
d.lines("Processor, by the kernel", "percentunit", "Processor time a second, 1 being one core.", (f"rate(process_cpu_seconds_total{{{J}}}[$__rate_interval])", "{{instance}}"), width=8)

d.row("Listeners")
d.lines("Requests", "reqps", "Requests a second, by the status of their answer.", (f"sum by (status) (rate(botticelli_http_requests_total{{{I}}}[$__rate_interval]))", "{{status}}"), width=8, stack=True)
d.lines("How long requests take", "s", "95 of 100 requests take no longer than this; the ten slowest routes.", (f"topk(10, histogram_quantile(0.95, sum by (route, le) (rate(botticelli_http_request_duration_seconds_bucket{{{I}}}[$__rate_interval]))))", "{{route}}"), width=8)
d.lines("Streams", "none", "Clients that follow the event stream, and events a second that slow ones lost.", (f"sum(botticelli_stream_listeners{{{I}}})", "listeners"), (f"sum(rate(botticelli_stream_dropped_total{{{I}}}[$__rate_interval]))", "lost a second"), width=8)

d.row("What being watched costs")
d.lines("Series", "none", "Samples of each scrape; at most 10,000 whatever the number of bots.", (f"scrape_samples_scraped{{{J}}}", "{{instance}}"), width=8, steps={"red": 10000})
d.lines("Time of a scrape", "s", "As Prometheus sees it.", (f"scrape_duration_seconds{{{J}}}", "{{instance}}"), width=8)
d.lines("Bots that are not shown", "none", "Bots whose state is not exported because of the bound; those that are not well are shown first.", ("max(botticelli_metrics_dropped_labels)", "bots"), width=8)

# By node exporter; where there is none, by what the server knows of itself.
d.row("Machine")
d.lines("Processor", "percentunit", "Share of all cores that is busy. Without node exporter: cores that the server keeps busy.", (f'1 - avg by (instance) (rate(node_cpu_seconds_total{{mode="idle"}}[$__rate_interval])) or (rate(process_cpu_seconds_total{{{J}}}[$__rate_interval]) unless on () node_cpu_seconds_total)', "{{instance}}"), width=8)
d.lines("Memory in use", "bytes", "What programs use of the machine's memory. Without node exporter: what the server uses.", (f"node_memory_MemTotal_bytes - node_memory_MemAvailable_bytes or (process_resident_memory_bytes{{{J}}} unless on () node_memory_MemTotal_bytes)", "{{instance}}"), width=8)
d.lines("Disks", "bytes", "What is left on each disk. Without node exporter: where the server keeps its data.", (f'min by (instance, mountpoint) (node_filesystem_avail_bytes{{fstype!~"tmpfs|ramfs|overlay|squashfs"}}) or (botticelli_disk_free_bytes{{{I}}} unless on () node_filesystem_avail_bytes)', "{{instance}} {{mountpoint}}"), width=8)
