"""The repo layer: the only code that speaks SQL and Redis; logic and task call it in process."""

from gochat_core.deferred import defer_module

# Only redis-py's connections are used here; its clients, sync and async, would cost every start 170 ms of CPU.
defer_module("redis")

# PyMySQL asks these for passwords over connections without TLS, of which there are none.
for name in ("asymmetric.padding", "hashes", "serialization"):
    defer_module(f"cryptography.hazmat.primitives.{name}")
