"""Sweeps: many problems, each a job of the queue, put together in one table."""
