"""Answers to questions: of the event store, and of the projections."""
