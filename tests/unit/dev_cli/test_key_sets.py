"""What a rotation does to the set of signing keys, step by step."""

from cdk_app.custom_resources.signing_key import KeySet, make_keys
from dev_cli.signing_keys import key_sets
from gochat_aws.secrets import REFRESH_AFTER_S
from gochat_core.tokens import ACCESS_LIFETIME_S

NOW_S = 1_000_000.0


def rotated(keys: KeySet, now_s: float = NOW_S) -> KeySet:
    return key_sets.signing_with_new_key(key_sets.with_new_key(keys), now_s=now_s)


def test_a_new_key_is_added_before_it_signs() -> None:
    keys = make_keys()
    added = key_sets.with_new_key(keys)
    assert added["signing_kid"] == keys["signing_kid"]
    assert len(added["keys"]) == 2
    assert key_sets.waiting_key(added) == added["keys"][1]


def test_a_rotation_that_was_cut_short_goes_on_with_the_key_it_has_added() -> None:
    added = key_sets.with_new_key(make_keys())
    assert key_sets.with_new_key(added) == added


def test_the_old_key_is_kept_and_retired_when_the_new_one_signs() -> None:
    keys = make_keys()
    after = rotated(keys)
    assert after["signing_kid"] != keys["signing_kid"]
    assert [key.get("retired_at_s") for key in after["keys"]] == [int(NOW_S), None]
    assert after["refresh_key"] == keys["refresh_key"]
    assert key_sets.waiting_key(after) is None


def test_a_retired_key_goes_only_when_all_it_signed_has_run_out() -> None:
    after = rotated(make_keys())
    spent_at_s = key_sets.spent_at_s(after)
    assert spent_at_s == NOW_S + key_sets.OVERLAP_S
    assert key_sets.without_spent_keys(after, now_s=spent_at_s - 1) == after
    left = key_sets.without_spent_keys(after, now_s=spent_at_s)
    assert key_sets.kids(left) == [after["signing_kid"]]


def test_the_overlap_is_longer_than_a_token_lives_that_was_signed_at_the_last_moment() -> None:
    assert ACCESS_LIFETIME_S == key_sets.ACCESS_TOKEN_S
    assert REFRESH_AFTER_S == key_sets.SECRET_CACHE_S
    assert key_sets.OVERLAP_S > ACCESS_LIFETIME_S + REFRESH_AFTER_S


def test_each_rotation_leaves_the_keys_of_the_last_one_that_are_still_needed() -> None:
    twice = rotated(rotated(make_keys()), NOW_S + 60)
    assert len(twice["keys"]) == 3
    assert len(key_sets.without_spent_keys(twice, now_s=NOW_S + key_sets.OVERLAP_S + 30)["keys"]) == 2
