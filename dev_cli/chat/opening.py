"""Opens a chat: logs in, registers who has no account yet, and finds the peer and their conversation."""

from collections.abc import Callable

from dev_cli.chat.client import ChatClient
from dev_cli.chat.rest import Login, Refused, RestClient
from dev_cli.chat.timeline import ChatMessage
from dev_cli.failure import Failure

# On the local stage accounts are made up as one goes; nobody wants to think of passwords there.
LOCAL_PASSWORD = "local-stage-only"  # noqa: S105 - opens accounts of this machine's local stage alone


async def log_in_or_register(rest: RestClient, username: str, password: str, *, device_id: str) -> Login:
    """Log in; where the credentials are refused, try to register the name first. Failure if it is taken."""
    try:
        return await rest.log_in(username, password, device_id=device_id)
    except Refused as refused:
        if refused.code != "invalid_credentials":
            raise
    try:
        await rest.register(username, password)
    except Refused as refused:
        if refused.code == "username_taken":
            raise Failure(f"{username} has another password.") from refused
        raise
    return await rest.log_in(username, password, device_id=device_id)


async def open_chat(
    rest: RestClient,
    *,
    username: str,
    peer: str,
    password: str,
    make_peer: bool,
    show: Callable[[ChatMessage, str], None],
    tell: Callable[[str], None],
) -> ChatClient:
    """Log in and give a client for the conversation with the peer; `show` gets each message with its sender's name.

    With `make_peer` an unknown peer is registered under the same password (local stage), else it is a Failure.
    """
    login = await log_in_or_register(rest, username, password, device_id=f"terminal-{username}")
    peer_id = await rest.find_user(peer)
    if peer_id is None and make_peer:
        await rest.register(peer, password)
        peer_id = await rest.find_user(peer)
    if peer_id is None:
        raise Failure(f"there is no user {peer}.")
    if peer_id == login.user_id:
        raise Failure("one does not chat with oneself.", advice="--with names somebody else.")
    conversation_id = await rest.open_single_conversation(peer_id)
    names = {login.user_id: username, peer_id: peer}
    return ChatClient(
        rest,
        login=login,
        conversation_id=conversation_id,
        show=lambda message: show(message, names.get(message.sender_id, message.sender_id)),
        tell=tell,
        names=names,
    )
