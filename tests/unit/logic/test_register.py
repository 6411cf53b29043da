import pytest

from gochat_contracts.accounts import RegisterBody
from gochat_core.errors import RateLimited
from gochat_core.types import UserId
from gochat_repo.window_counter import Count
from logic.auth.register import check_rate, network_of, plan_user


def test_usernames_are_kept_in_lower_case_and_shown_as_typed() -> None:
    user = plan_user(RegisterBody(username="Alice.B", password="eight888"), user_id=UserId(5), now_ms=7)
    assert (user.username, user.display_name, user.created_at_ms) == ("alice.b", "Alice.B", 7)


def test_so_many_may_register_from_one_network_and_no_more() -> None:
    check_rate(Count(events=300, ends_in_ms=5000), limit=300)
    with pytest.raises(RateLimited) as raised:
        check_rate(Count(events=301, ends_in_ms=5000), limit=300)
    assert raised.value.retry_after_ms == 5000


def test_without_a_limit_everybody_may_register() -> None:
    check_rate(Count(events=1_000_000, ends_in_ms=1), limit=None)


@pytest.mark.parametrize(
    ("source_ip", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("", "unknown"),
        ("not an address", "unknown"),
    ],
)
def test_a_subscriber_counts_once_with_all_of_its_addresses(source_ip: str, network: str) -> None:
    assert network_of(source_ip) == network
