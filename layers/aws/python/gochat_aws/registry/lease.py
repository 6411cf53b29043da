"""Decides by an instance's answers whether its lease holds: when it is ill, well again, or to be removed. Pure."""

from collections.abc import Sequence

from gochat_aws.registry.instances import Instance

MISSES = 3
"""Health calls without an answer, a second apart, after which an instance counts as ill: one may be a cold start."""

ANSWERS = 2
"""Answers after which one that was ill counts as well: it may still be flapping."""


def judge(answers: Sequence[bool], *, was_healthy: bool) -> bool | None:
    """Return whether an instance is healthy by its answers to the calls of one round; None: call once more."""
    if was_healthy:
        if any(answers):
            return True
        return None if len(answers) < MISSES else False
    if not all(answers):
        return False
    return None if len(answers) < ANSWERS else True


def is_to_be_removed(instance: Instance, *, ill_since_an_earlier_run: bool, answers_now: bool) -> bool:
    """Tell whether an instance goes: it registered itself, was ill a run ago and still is. One of the stack never."""
    return instance.origin == "self" and ill_since_an_earlier_run and not answers_now
