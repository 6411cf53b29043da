"""From where on something is an alarm: each threshold with its unit and why it lies there."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """What is told at these values; how long it must last stands with each alarm."""

    function_errors: int = 5
    """Failed invocations of a function in five minutes."""
    lagging_records: int = 5_000
    """Unread records of a consumer: some seconds of a busy stage, minutes of a small one."""
    stored_late_ms: int = 5_000
    """From a frame's acceptance until its message is stored, p99."""
    delivered_late_ms: int = 10_000
    """From a frame to the recipient's post, p99."""
    rest_failed_percent: float = 1.0
    """Share of REST requests that are answered with 5xx, where ten or more are in five minutes."""
    rest_late_ms: int = 5_000
    """p99 of REST; a cold start behind a cold start takes three seconds."""
    frames_failed: int = 100
    """Handshakes and frames of a cell, in five minutes, that its function refused or did not answer."""
    frames_refused: int = 1_000
    """Handshakes and frames of a cell, in five minutes, that API Gateway refused: throttled, too large, without a token
    that is good. A client in a loop makes some hundred."""
    connections_refused: int = 100
    """Handshakes in five minutes; tokens that have expired are everyday."""
    duties_failed: int = 5
    """Duties of a sweep in five minutes."""
    claimed_concurrency: int = 800
    """Of the account's quota of concurrent executions, which is 1,000 by default: what runs, and what is reserved."""
    async_failing_s: int = 900
    """Age of the oldest asynchronous invocation that has failed and is done again."""
    database_capacity_percent: float = 90.0
    """Of `maximum_acu`."""
    database_connections_percent: float = 80.0
    """Of the connections that the proxy may open to the database."""
    database_waits_ms: int = 1_000
    """How long a function waits for one of the proxy's connections."""
    database_pinned: int = 100
    """Connections that the proxy can't share."""
    deadlocks_a_second: float = 1.0
    reader_behind_ms: int = 2_000
    cache_percent: float = 90.0
    """Of `maximum_gb`, and of `maximum_ecpu_per_second`."""
    broker_cpu_percent: float = 60.0
    """User and system: what is left is needed when a broker's work falls to the others (MSK developer guide, "Best
    practices for Standard brokers")."""
    broker_disk_percent: float = 80.0
    certificate_days: int = 30
    """Left of a certificate; ACM renews 60 days before the end, so by then something is in its way."""
    pushes_failed_percent: float = 10.0
    """Of what was sent: dead tokens are failures too, and more than a few percent of them at a time is no everyday."""
    pushes_late_ms: int = 60_000
    """From the message to the provider's word; a storm of a large group takes some seconds."""
