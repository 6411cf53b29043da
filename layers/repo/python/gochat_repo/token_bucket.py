"""Token buckets in Redis: how fast somebody may go on, and for how long faster than that."""

from dataclasses import dataclass

from gochat_repo.cache import Command, Script

# Fractions of a token are kept, or a slow rate would not be. A clock that stands behind the last caller's adds none.
_SPEND = Script(
    """
    local rate, burst, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
    local held = redis.call('HMGET', KEYS[1], 'tokens', 'at')
    local tokens, at = tonumber(held[1]) or burst, tonumber(held[2]) or now
    if now > at then
      tokens = math.min(burst, tokens + (now - at) * rate / 1000)
      at = now
    end
    local wait = 0
    if tokens >= 1 then
      tokens = tokens - 1
    else
      wait = math.ceil((1 - tokens) * 1000 / rate)
    end
    redis.call('HSET', KEYS[1], 'tokens', string.format('%.17g', tokens), 'at', string.format('%.0f', at))
    redis.call('PEXPIRE', KEYS[1], math.ceil(burst / rate * 1000) + 1000)
    return wait
    """
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """So many a second, and so many at once after a rest."""

    per_s: float
    burst: int


def spend_command(key: str, rate: Rate, *, now_ms: int) -> Command:
    """Make the command that spends one token of a bucket, for a pipeline that is sent anyway.

    Its reply is 0, or how many milliseconds from now there will be a token; then none was spent. A lost reply may spend
    twice. The bucket is forgotten once it is full again.
    """
    return _SPEND.call([key], [rate.per_s, rate.burst, now_ms])


def user_bucket(user_id: int) -> str:
    """Name a user's bucket; tagged with the user, so that it shares a slot with the states of the user's sessions."""
    return f"bucket:{{{user_id}}}"


def conversation_bucket(conversation_id: str) -> str:
    """Name a conversation's bucket."""
    return f"bucket:{{{conversation_id}}}"
