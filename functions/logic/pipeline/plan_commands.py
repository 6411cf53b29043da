"""Folds the plans of a batch's commands, in their order, over one ledger. Pure."""

from collections.abc import Callable, Sequence

from gochat_contracts.commands import (
    AddReaction,
    EditMessage,
    MarkDelivered,
    MarkRead,
    RecallMessage,
    RemoveReaction,
    SendMessage,
)
from gochat_core.errors import GochatError, InternalError
from logic.commands.ledger import Ledger
from logic.commands.outcomes import Outcome, Refuse
from logic.commands.submission import Submission
from logic.messages.edit_message import plan_edit_message
from logic.messages.react import plan_add_reaction, plan_remove_reaction
from logic.messages.recall_message import plan_recall_message
from logic.messages.send_message import plan_send_message
from logic.messages.show_typing import plan_show_typing
from logic.receipts.mark_delivered import plan_mark_delivered
from logic.receipts.mark_read import plan_mark_read


def plan_commands(
    submissions: Sequence[Submission], ledger: Ledger, *, next_id: Callable[[], int], now_ms: int
) -> list[Outcome]:
    """Decide about each command in its turn; one outcome for each. The ledger holds what comes of all of them.

    A command that makes our own code fail is refused alone: it must not hold up its batch for ever.
    """
    outcomes: list[Outcome] = []
    for submission in submissions:
        try:
            outcome = plan_command(submission, ledger, next_id=next_id, now_ms=now_ms)
        except GochatError as error:
            outcome = Refuse(error=error)
        except Exception as fault:  # noqa: BLE001 - the per-record boundary
            outcome = Refuse(error=InternalError(), cause=fault)
        ledger.note(submission, outcome)
        outcomes.append(outcome)
    return outcomes


def plan_command(submission: Submission, ledger: Ledger, *, next_id: Callable[[], int], now_ms: int) -> Outcome:
    """Decide about one command; raises what forbids it, and changes nothing."""
    command = submission.command
    match command:
        case SendMessage():
            return plan_send_message(submission, command, ledger, next_id=next_id, now_ms=now_ms)
        case MarkDelivered():
            return plan_mark_delivered(submission, command, ledger)
        case MarkRead():
            return plan_mark_read(submission, command, ledger)
        case RecallMessage():
            return plan_recall_message(submission, command, ledger, now_ms=now_ms)
        case EditMessage():
            return plan_edit_message(submission, command, ledger, now_ms=now_ms)
        case AddReaction():
            return plan_add_reaction(submission, command, ledger)
        case RemoveReaction():
            return plan_remove_reaction(submission, command, ledger)
        case _:
            return plan_show_typing(submission, ledger)
