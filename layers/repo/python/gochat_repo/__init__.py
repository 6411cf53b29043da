"""The repo layer: the only code that speaks SQL and Redis; logic and task call it in process."""

from gochat_core.deferred import defer_package

# Only redis-py's connections are used here; its clients, sync and async, would cost every start 170 ms of CPU.
defer_package("redis")
