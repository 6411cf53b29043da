"""Groups over REST: who may do what, what it does to the conversation, and who can still read and write."""

import pytest

from tests.integration.rest.conftest import Rest
from tests.integration.rest.contact_people import log_in, outcome
from tests.integration.rest.group_people import SIZES, Gang, create, make_gang, sized


@pytest.fixture(params=SIZES)
def rest(rest: Rest, request: pytest.FixtureRequest) -> Rest:
    """Open a door; whatever holds in a small group holds in a large one."""
    return sized(rest, request.param)


@pytest.fixture
def gang(rest: Rest) -> Gang:
    """Let Alice make a group with Bob and Carol; Dave stays outside."""
    return make_gang(rest)


def test_a_group_begins_with_its_creator_as_owner_and_a_message_that_says_so(rest: Rest) -> None:
    alice, bob, carol = log_in(rest, "alice", "bob", "carol")
    answer = create(
        alice, bob, carol, bob, alice, name="  Friday 🎉 ", announcement="Be\nkind", avatar_url="https://a.example/1"
    )
    assert answer.status == 201, answer.text
    group, conversation = answer.json["group"], answer.json["conversation"]
    assert (group["name"], group["owner_id"], group["member_count"]) == ("Friday 🎉", alice.user_id, 3)
    assert (group["announcement"], group["avatar_url"]) == ("Be\nkind", "https://a.example/1")
    assert (group["muted_all"], group["dissolved_at"]) == (False, None)
    assert (conversation["type"], conversation["name"], conversation["group_id"], conversation["peer"]) == (
        "group",
        "Friday 🎉",
        group["group_id"],
        None,
    )
    assert (conversation["member_count"], conversation["last_seq"], conversation["unread_count"]) == (3, 1, 0)
    gang = Gang(
        alice=alice,
        bob=bob,
        carol=carol,
        dave=alice,
        group_id=group["group_id"],
        conversation_id=group["conversation_id"],
    )
    assert gang.roles(bob) == {alice.user_id: "owner", bob.user_id: "member", carol.user_id: "member"}
    assert gang.seen(bob)["unread_count"] == 1
    (first,) = gang.history(carol)
    assert (first["type"], first["sender_id"], first["content"]) == (
        "system",
        alice.user_id,
        {
            "event": "group.created",
            "actor_id": alice.user_id,
            "user_ids": [bob.user_id, carol.user_id],
            "name": "Friday 🎉",
        },
    )
    assert bob.chats() == [group["conversation_id"]]


def test_messages_and_cursors_work_as_in_a_single_chat(gang: Gang) -> None:
    sent = gang.say(gang.bob, "m1")
    assert (sent.status, sent.json["message"]["seq"]) == (201, 2)
    assert gang.say(gang.bob, "m1").status == 200
    assert gang.seen(gang.alice)["unread_count"] == 1
    read = gang.alice.send("POST", f"/conversations/{gang.conversation_id}/read", {"seq": 2})
    assert read.json == {"read_seq": 2, "unread_count": 0}
    assert [one["seq"] for one in gang.history(gang.carol)] == [1, 2]


def test_an_outsider_cannot_tell_a_group_from_a_missing_one(gang: Gang) -> None:
    dave, there, missing = gang.dave, gang.url, "/groups/123"
    for method, path, body in (
        ("GET", "", None),
        ("PATCH", "", {"name": "x"}),
        ("DELETE", "", None),
        ("GET", "/members", None),
        ("POST", "/members", {"user_ids": [dave.user_id]}),
        ("DELETE", f"/members/{dave.user_id}", None),
        ("DELETE", f"/members/{gang.bob.user_id}", None),
        ("PATCH", f"/members/{gang.bob.user_id}", {"role": "admin"}),
        ("POST", "/transfer", {"user_id": gang.bob.user_id}),
    ):
        answers = [dave.send(method, base + path, body) for base in (there, missing, "/groups/nonsense")]
        assert [outcome(one) for one in answers] == [(404, "group_not_found")] * 3, (method, path)
    assert outcome(gang.say(dave, "m1")) == (404, "conversation_not_found")


def test_who_joins_sees_the_group_from_the_joining_on(gang: Gang) -> None:
    gang.say(gang.alice, "before")
    answer = gang.invite(gang.bob, gang.dave, gang.carol, gang.bob)
    assert answer.status == 200, answer.text
    assert [one["user"]["user_id"] for one in answer.json["members"]] == [
        one.user_id for one in (gang.dave, gang.carol, gang.bob)
    ]
    (joining,) = gang.history(gang.dave)
    assert (joining["seq"], joining["content"]) == (
        3,
        {"event": "group.member_joined", "actor_id": gang.bob.user_id, "user_ids": [gang.dave.user_id]},
    )
    seen = gang.seen(gang.dave)
    assert (seen["unread_count"], seen["member_count"]) == (1, 4)
    assert gang.shown()["member_count"] == 4
    again = gang.invite(gang.alice, gang.dave)
    assert again.status == 200
    assert gang.seen(gang.dave)["last_seq"] == 3


def test_who_is_removed_reads_and_writes_no_more_and_may_come_back(gang: Gang) -> None:
    gang.say(gang.bob, "m1")
    assert gang.remove(gang.alice, gang.bob).status == 204
    assert outcome(gang.bob.send("GET", gang.url)) == (404, "group_not_found")
    assert outcome(gang.bob.send("GET", f"/conversations/{gang.conversation_id}")) == (404, "conversation_not_found")
    assert outcome(gang.say(gang.bob, "m2")) == (404, "conversation_not_found")
    assert gang.bob.chats() == []
    assert gang.remove(gang.alice, gang.bob).status == 204
    assert gang.shown()["member_count"] == 2
    gang.say(gang.alice, "meanwhile")
    assert gang.invite(gang.carol, gang.bob).status == 200
    assert [one["seq"] for one in gang.history(gang.bob)] == [5]
    assert gang.seen(gang.bob)["unread_count"] == 1
    assert gang.say(gang.bob, "back").json["message"]["seq"] == 6
    assert gang.shown()["member_count"] == 3


def test_leaving_may_be_repeated_and_the_owner_hands_over_first(gang: Gang) -> None:
    assert outcome(gang.remove(gang.alice, gang.alice)) == (403, "forbidden")
    assert gang.remove(gang.carol, gang.carol).status == 204
    assert gang.remove(gang.carol, gang.carol).status == 204
    assert gang.transfer(gang.alice, gang.bob).json["group"]["owner_id"] == gang.bob.user_id
    assert gang.roles() == {gang.alice.user_id: "admin", gang.bob.user_id: "owner"}
    assert gang.remove(gang.alice, gang.alice).status == 204
    assert gang.roles(gang.bob) == {gang.bob.user_id: "owner"}


def test_a_device_that_was_away_learns_of_joining_leaving_and_coming_back(gang: Gang) -> None:
    def sync(token: str | None) -> dict[str, object]:
        body: dict[str, object] = {"cursors": {}} | ({} if token is None else {"token": token})
        answer = gang.dave.send("POST", "/sync", body)
        assert answer.status == 200, answer.text
        return dict(answer.json)

    token = str(sync(None)["token"])
    gang.invite(gang.alice, gang.dave)
    joined = sync(token)
    assert [one["conversation"]["name"] for one in joined["conversations"]] == ["Friday"]  # type: ignore[attr-defined]
    gang.remove(gang.alice, gang.dave)
    left = sync(token)
    assert (left["conversations"], left["removed"]) == ([], [gang.conversation_id])
    gang.invite(gang.alice, gang.dave)
    back = sync(token)
    assert back["removed"] == [gang.conversation_id]
    assert [m["seq"] for one in back["conversations"] for m in one["messages"]] == [4]  # type: ignore[attr-defined]


def test_the_group_can_be_changed_in_parts_and_what_is_so_already_is_no_news(gang: Gang) -> None:
    changed = gang.edit(gang.alice, name=" Saturday ", announcement="Nine o'clock")
    assert (changed.json["group"]["name"], changed.json["group"]["announcement"]) == ("Saturday", "Nine o'clock")
    assert gang.edit(gang.alice, name="Saturday").status == 200
    assert [one["content"] for one in gang.history(gang.bob)[1:]] == [
        {
            "event": "group.updated",
            "actor_id": gang.alice.user_id,
            "changed": ["name", "announcement"],
            "name": "Saturday",
            "announcement": "Nine o'clock",
        }
    ]
    assert gang.seen(gang.bob)["name"] == "Saturday"
    assert gang.edit(gang.alice, announcement=None).json["group"]["announcement"] is None


def test_a_muted_member_is_refused_until_the_muting_ends(gang: Gang) -> None:
    muted = gang.set_member(gang.alice, gang.bob, muted_until="2999-01-01T00:00:00+01:00")
    assert muted.json["member"]["muted_until"] == "2998-12-31T23:00:00.000Z"
    assert outcome(gang.say(gang.bob, "m1")) == (403, "muted")
    assert gang.say(gang.carol, "m1").status == 201
    assert gang.set_member(gang.alice, gang.bob, muted_until=None).json["member"]["muted_until"] is None
    assert gang.say(gang.bob, "m2").status == 201
    past = gang.set_member(gang.alice, gang.bob, muted_until="2001-01-01T00:00:00Z")
    assert past.json["member"]["muted_until"] is None


def test_while_all_are_muted_owner_and_admins_speak(gang: Gang) -> None:
    assert gang.set_member(gang.alice, gang.bob, role="admin").json["member"]["role"] == "admin"
    assert gang.edit(gang.bob, muted_all=True).json["group"]["muted_all"] is True
    assert gang.say(gang.alice, "m1").status == gang.say(gang.bob, "m1").status == 201
    assert outcome(gang.say(gang.carol, "m1")) == (403, "muted")
    gang.edit(gang.bob, muted_all=False)
    assert gang.say(gang.carol, "m2").status == 201


def test_a_dissolved_group_can_be_read_and_nothing_else(gang: Gang) -> None:
    gang.say(gang.bob, "m1")
    assert outcome(gang.dissolve(gang.bob)) == (403, "forbidden")
    assert gang.dissolve(gang.alice).status == 204
    assert gang.dissolve(gang.alice).status == 204
    assert gang.shown(gang.bob)["dissolved_at"] is not None
    assert [one["type"] for one in gang.history(gang.carol)] == ["system", "text", "system"]
    assert gang.say(gang.bob, "m1").status == 200
    for answer in (
        gang.say(gang.alice, "m2"),
        gang.invite(gang.alice, gang.dave),
        gang.edit(gang.alice, name="x"),
        gang.remove(gang.alice, gang.bob),
        gang.set_member(gang.alice, gang.bob, role="admin"),
        gang.transfer(gang.alice, gang.bob),
    ):
        assert outcome(answer) == (409, "group_dissolved")
    assert gang.bob.send("DELETE", f"/conversations/{gang.conversation_id}").status == 204
    assert gang.bob.chats() == []


def test_a_page_of_members_ends_where_the_next_one_begins(gang: Gang) -> None:
    gang.invite(gang.alice, gang.dave)
    found, cursor = [], ""
    for _ in range(4):
        page = gang.bob.send("GET", f"{gang.url}/members?limit=1{cursor}").json
        found += [one["user"]["user_id"] for one in page["members"]]
        cursor = f"&cursor={page['next_cursor']}"
    assert page["next_cursor"] is None
    assert found == sorted((one.user_id for one in gang.everybody()), key=int)


def test_a_creation_that_is_repeated_under_its_key_makes_one_group(rest: Rest) -> None:
    alice, bob = log_in(rest, "alice", "bob")
    first, again = create(alice, bob, key="k1"), create(alice, bob, key="k1")
    assert (first.status, first.json) == (again.status, again.json)
    assert len(bob.chats()) == 1
    assert create(alice, bob).json["group"]["group_id"] != first.json["group"]["group_id"]


def test_who_erases_the_account_leaves_every_group_and_what_was_owned_goes_on(gang: Gang) -> None:
    gang.set_member(gang.alice, gang.carol, role="admin")
    gang.set_member(gang.alice, gang.carol, muted_until="2999-01-01T00:00:00Z")
    alone = create(gang.alice).json["group"]["conversation_id"]
    assert gang.alice.send("DELETE", "/users/me").status == 204
    group = gang.shown(gang.bob)
    assert (group["owner_id"], group["member_count"]) == (gang.carol.user_id, 2)
    assert gang.roles(gang.bob) == {gang.carol.user_id: "owner", gang.bob.user_id: "member"}
    assert gang.history(gang.bob)[-1]["content"] == {
        "event": "group.member_left",
        "actor_id": gang.alice.user_id,
        "user_ids": [gang.alice.user_id],
        "owner_id": gang.carol.user_id,
    }
    assert gang.say(gang.carol, "m1").status == 201
    ended = gang.alice.rest.rpc.database.read(
        lambda tx: tx.query(
            "SELECT dissolved_at_ms IS NOT NULL FROM `groups` WHERE conversation_id = %s", (bytes.fromhex(alone),)
        )
    )
    assert ended == [(1,)]
