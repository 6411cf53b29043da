"""Reads and writes pushes as protobuf messages."""

from collections.abc import Sequence

from gochat_contracts.repo import repo_pb2
from gochat_core.types import ConversationId, DeviceId, Seq, UserId
from gochat_repo.push_checks import Asked, Ready
from gochat_repo.push_log import PushPlace, PushResult
from gochat_repo.push_tokens import PushToken


def read_asked(request: repo_pb2.RecheckPushesRequest) -> list[Asked]:
    """Read what is about to be sent."""
    return [Asked(place=_place(one.place), task_id=one.task_id) for one in request.pushes]


def verdicts_message(ready: Sequence[Ready]) -> repo_pb2.RecheckPushesResponse:
    """Write what the last look says."""
    return repo_pb2.RecheckPushesResponse(verdicts=[_verdict(one) for one in ready])


def read_results(request: repo_pb2.LogPushResultsRequest) -> tuple[list[PushResult], list[PushToken]]:
    """Read outcomes, and which tokens are dead."""
    results, dead = [], []
    for one in request.results:
        place = _place(one.place)
        results.append(
            PushResult(
                place=place,
                outcome=one.outcome,
                reason=one.reason,
                record=one.record if one.HasField("record") else None,
                retry_at_ms=one.retry_at_ms if one.HasField("retry_at_ms") else None,
            )
        )
        if one.HasField("dead_token_updated_at_ms"):
            dead.append(
                PushToken(
                    user_id=place[0],
                    device_id=place[1],
                    provider="",
                    updated_at_ms=one.dead_token_updated_at_ms,
                )
            )
    return results, dead


def _place(one: repo_pb2.PushPlace) -> PushPlace:
    return (UserId(one.user_id), DeviceId(one.device_id), ConversationId(one.conversation_id), Seq(one.seq))


def _verdict(one: Ready) -> repo_pb2.RecheckPushesResponse.Verdict:
    if one.token is None:
        return repo_pb2.RecheckPushesResponse.Verdict(reason=one.reason)
    return repo_pb2.RecheckPushesResponse.Verdict(
        provider=one.token.provider,
        token=one.token.token,
        token_updated_at_ms=one.token.updated_at_ms,
        badge=one.badge,
    )
