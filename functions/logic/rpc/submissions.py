"""Makes what a REST caller asks for a submission, as the upstream topic's records are."""

from gochat_contracts.commands import Command
from gochat_contracts.records import Sender
from gochat_core.clock import Clock
from logic.commands.submission import Submission
from logic.rpc.calls import caller, current_call


def submit(command: Command, clock: Clock) -> Submission:
    """Return the command with the current call's caller and trace."""
    who = caller()
    return Submission(
        sender=Sender(user_id=who.user_id, device_id=who.device_id, session_id=who.session_id),
        command=command,
        accepted_at_ms=clock.now_ms(),
        trace=current_call().trace.header(),
    )
