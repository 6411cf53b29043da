"""Token buckets in a real Redis, against a bucket on paper."""

import math
import uuid

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gochat_repo.cache import Cache, RedisSettings, command
from gochat_repo.token_bucket import Rate, spend_command
from local_stage.services.redis import RedisCluster


class PaperBucket:
    """The rule, written down once more."""

    def __init__(self, rate: Rate) -> None:
        self.rate, self.tokens, self.at_ms = rate, float(rate.burst), 0  # full, since when does not matter

    def spend(self, now_ms: int) -> int:
        if now_ms > self.at_ms:
            self.tokens = min(self.rate.burst, self.tokens + (now_ms - self.at_ms) * self.rate.per_s / 1000)
            self.at_ms = now_ms
        if self.tokens >= 1:
            self.tokens -= 1
            return 0
        return math.ceil((1 - self.tokens) * 1000 / self.rate.per_s)


def cache_of(cluster: RedisCluster) -> Cache:
    return Cache(
        RedisSettings(
            redis_host=cluster.host, redis_port=cluster.port, redis_connect_timeout_s=10.0, redis_read_timeout_s=10.0
        )
    )


@settings(max_examples=40, deadline=None)
@given(
    rate=st.builds(Rate, per_s=st.sampled_from((0.5, 1.0, 20.0, 100.0)), burst=st.integers(1, 60)),
    steps_ms=st.lists(st.integers(-50, 400), min_size=1, max_size=40),
)
@example(rate=Rate(per_s=0.5, burst=1), steps_ms=[-1, 1])  # the first caller's clock stood behind the second's
def test_it_gives_and_refuses_as_the_rule_says(redis_cluster: RedisCluster, rate: Rate, steps_ms: list[int]) -> None:
    cache = cache_of(redis_cluster)
    key = f"bucket:{{{uuid.uuid4().hex}}}"
    now_ms = 1_795_413_600_000
    paper = PaperBucket(rate)

    for step_ms in steps_ms:
        now_ms += step_ms
        # Kept for good: on a slow machine a bucket that is soon full would be forgotten between two steps.
        wait_ms, _ = cache.run([spend_command(key, rate, now_ms=now_ms), command("PERSIST", key)])
        assert wait_ms == paper.spend(now_ms)
    cache.close()


def test_a_bucket_is_forgotten_once_it_is_full_again(redis_cluster: RedisCluster) -> None:
    cache = cache_of(redis_cluster)
    key = f"bucket:{{{uuid.uuid4().hex}}}"

    cache.run([spend_command(key, Rate(per_s=20, burst=60), now_ms=1)])

    assert 3_000 < cache.run([command("PTTL", key)])[0] <= 4_000
    cache.close()
