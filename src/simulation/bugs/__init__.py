"""The test of the test: bugs that are planted on purpose, each of which a run has to find."""
