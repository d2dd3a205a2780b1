"""Virtual time, tasks that take turns, and chance that can be repeated."""
