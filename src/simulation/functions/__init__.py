"""Lambda and what calls it: workers, mappings of queues and streams, schedules and the gateway."""
