"""Every role, every action, every target: the whole table of a group's permissions, written out once more."""

from itertools import product

import pytest

from gochat_core.errors import Forbidden
from logic.groups.permissions import ON_GROUP, ON_MEMBER, Action, Role, check_on_group, check_on_member

GROUP_TABLE = """
action                      owner admin member
view                        yes   yes   yes
invite                      yes   yes   yes
speak while all are muted   yes   yes   no
edit                        yes   yes   no
mute all                    yes   yes   no
leave                       no    yes   yes
dissolve                    yes   no    no
"""

# Who does it to whom (o, a, m: owner, admin, member; the actor stands first).
MEMBER_TABLE = """
action     o:o  o:a  o:m  a:o  a:a  a:m  m:o  m:a  m:m
remove     no   yes  yes  no   no   yes  no   no   no
mute       no   yes  yes  no   no   yes  no   no   no
recall     no   yes  yes  no   no   yes  no   no   no
set role   no   yes  yes  no   no   no   no   no   no
transfer   no   yes  yes  no   no   no   no   no   no
"""


def rows(table: str, columns: int) -> dict[str, list[bool]]:
    parsed = {}
    for line in table.strip().splitlines()[1:]:
        words = line.split()
        parsed[" ".join(words[:-columns])] = [word == "yes" for word in words[-columns:]]
    return parsed


def allows_on_group(role: Role, action: Action) -> bool:
    try:
        check_on_group(role, action)
    except Forbidden:
        return False
    return True


def allows_on_member(role: Role, action: Action, target: Role) -> bool:
    try:
        check_on_member(role, action, target)
    except Forbidden:
        return False
    return True


def test_what_concerns_the_group_is_decided_as_the_table_says() -> None:
    decided = {action.value: [allows_on_group(role, action) for role in Role] for action in ON_GROUP}
    assert decided == rows(GROUP_TABLE, 3)


def test_what_concerns_a_member_is_decided_as_the_table_says() -> None:
    decided = {
        action.value: [allows_on_member(role, action, target) for role, target in product(Role, Role)]
        for action in ON_MEMBER
    }
    assert decided == rows(MEMBER_TABLE, 9)


def test_every_action_stands_in_exactly_one_table() -> None:
    assert set(ON_GROUP) | set(ON_MEMBER) == set(Action)
    assert not set(ON_GROUP) & set(ON_MEMBER)


@pytest.mark.parametrize("role", [Role.ADMIN, Role.MEMBER])
@pytest.mark.parametrize("action", list(ON_MEMBER))
def test_nobody_does_anything_to_the_owner(role: Role, action: Action) -> None:
    with pytest.raises(Forbidden):
        check_on_member(role, action, Role.OWNER)
