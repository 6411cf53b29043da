"""GetGroup: show a group to one of its members."""

from gochat_core.types import GroupId, UserId
from gochat_repo.groups import Group
from gochat_repo.mysql import Database, Transaction
from logic.groups.access_group import access_group
from logic.groups.permissions import Action, Role, check_on_group


def get_group(database: Database, caller: UserId, group_id: GroupId) -> Group:
    """Return a group, a dissolved one too, in two database round trips; raises `GroupNotFound` to outsiders."""

    def work(tx: Transaction) -> Group:
        group, own = access_group(tx, caller, group_id)
        check_on_group(Role(own.role), Action.VIEW)
        return group

    return database.read(work)
