"""Whether somebody may say anything new to somebody: the rule of blocks and of deployments for friends only. Pure."""

from gochat_core.errors import Blocked, NotFriends


def check_may_contact(*, is_blocked: bool, are_friends: bool) -> None:
    """Raise `Blocked` when the other one has blocked whoever writes, `NotFriends` where friends alone may write.

    A block has one direction (protocol: anyone may message anyone who has not blocked them). Where the deployment takes
    messages from everybody, the caller says that they are friends.
    """
    if is_blocked:
        raise Blocked
    if not are_friends:
        raise NotFriends
