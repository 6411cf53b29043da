"""Two gateway cells: people and devices on either one are reached as if there were one."""

import pytest

from gochat_core.types import CellId
from tests.fixtures.stage import Stage
from tests.flows.stock_client import Person, text_message

pytestmark = pytest.mark.timeout(300)

G1, G2 = CellId("g1"), CellId("g2")


@pytest.fixture
def bob(bob: Person, stage: Stage) -> Person:
    """Put Bob's phone on the second cell; everybody else is on the first."""
    bob.websocket_url = stage.gateways[G2]
    return bob


@pytest.fixture
def alices_laptop(alice: Person, stage: Stage) -> Person:
    """Log Alice in on a laptop that is on the second cell."""
    laptop = alice.with_device("laptop")
    laptop.websocket_url = stage.gateways[G2]
    return laptop


def test_each_cell_has_an_address_and_a_topic_of_its_own(stage: Stage) -> None:
    assert list(stage.gateways) == [G1, G2]
    assert len(set(stage.gateways.values())) == 2
    topics = {mapping["topic"]: mapping["function"].rpartition(":")[2] for mapping in stage.mappings()}
    assert topics["im-downstream-topic-g1"] == "gochat-local-gateway-deliver-g1"
    assert topics["im-downstream-topic-g2"] == "gochat-local-gateway-deliver-g2"


def test_people_on_different_cells_exchange_messages_in_order(alice: Person, bob: Person) -> None:
    with alice.connect() as at_alice, bob.connect() as at_bob:
        for number in range(5):
            stored = at_alice.say(f"question {number}", to=bob.user_id)
            at_bob.say(f"answer {number}", to=alice.user_id)
        conversation_id = stored["conversation_id"]

        heard_by_bob = at_bob.wait_messages(5, conversation_id)
        heard_by_alice = at_alice.wait_messages(5, conversation_id)

    assert [message["seq"] for message in heard_by_bob] == [1, 3, 5, 7, 9]
    assert [message["seq"] for message in heard_by_alice] == [2, 4, 6, 8, 10]


def test_typing_receipts_and_presence_cross_from_cell_to_cell(alice: Person, bob: Person) -> None:
    with alice.connect() as at_alice:
        conversation_id = at_alice.say("are you there?", to=bob.user_id)["conversation_id"]
        at_alice.do("presence.subscribe", user_ids=[bob.user_id])
        with bob.connect() as at_bob:
            at_alice.wait_event("presence", user_id=bob.user_id, online=True)
            at_bob.send("typing", {"conversation_id": conversation_id})
            at_alice.wait_event("typing", conversation_id=conversation_id, user_id=bob.user_id)
            at_bob.do("message.read", conversation_id=conversation_id, seq=1)
            at_alice.wait_event("receipt", conversation_id=conversation_id, user_id=bob.user_id, read_seq=1)


def test_a_user_has_devices_on_both_cells(alice: Person, alices_laptop: Person, bob: Person) -> None:
    with alice.connect() as at_phone, alices_laptop.connect() as at_laptop, bob.connect() as at_bob:
        conversation_id = at_bob.say("for all your devices", to=alice.user_id)["conversation_id"]
        for socket in (at_phone, at_laptop):
            (message,) = socket.wait_messages(1, conversation_id)
            assert message["content"]["text"] == "for all your devices"

        at_phone.say("from my phone", to=bob.user_id)
        assert [one["seq"] for one in at_laptop.wait_messages(2, conversation_id)] == [1, 2]


def test_a_device_that_moves_to_another_cell_replaces_its_connection(alice: Person, bob: Person, stage: Stage) -> None:
    with alice.connect() as before, bob.connect() as at_bob:
        conversation_id = at_bob.say("one", to=alice.user_id)["conversation_id"]
        before.wait_messages(1, conversation_id)

        alice.websocket_url = stage.gateways[G2]
        with alice.connect() as after:
            before.wait_event("session.replaced")
            before.wait_closed()
            at_bob.say("two", to=alice.user_id)
            assert [message["seq"] for message in after.wait_messages(1, conversation_id)] == [2]

            alice.websocket_url = stage.gateways[G1]
            with alice.connect() as back:
                after.wait_event("session.replaced")
                after.wait_closed()
                at_bob.say("three", to=alice.user_id)
                assert [message["seq"] for message in back.wait_messages(1, conversation_id)] == [3]

    assert before.count_messages(conversation_id) == 1


def test_revoked_sessions_are_told_and_closed_on_both_cells(alice: Person, alices_laptop: Person) -> None:
    with alice.connect() as at_phone, alices_laptop.connect() as at_laptop:
        answer = alice.rest.post("/auth/logout", json={"all_devices": True})
        assert answer.status_code == 204, answer.text
        for socket in (at_phone, at_laptop):
            socket.wait_event("session.revoked")
            socket.wait_closed()


def test_one_session_that_is_revoked_from_the_other_cell_leaves_the_rest_alone(
    alice: Person, alices_laptop: Person, bob: Person
) -> None:
    with alice.connect() as at_phone, alices_laptop.connect() as at_laptop, bob.connect() as at_bob:
        sessions = alice.rest.get("/auth/sessions").json()["sessions"]
        (laptop,) = [one for one in sessions if one["device_id"] == "laptop"]
        answer = alice.rest.delete(f"/auth/sessions/{laptop['session_id']}")
        assert answer.status_code == 204, answer.text
        at_laptop.wait_event("session.revoked")
        at_laptop.wait_closed()

        at_bob.post(text_message("still there?", to=alice.user_id))
        at_phone.wait_event("message.new")


def test_a_cell_whose_deliver_dies_holds_up_no_other_cell(
    alice: Person, bob: Person, carol: Person, stage: Stage
) -> None:
    with alice.connect() as at_alice, bob.connect() as at_bob, carol.connect() as at_carol:
        for peer, socket in ((bob, at_bob), (carol, at_carol)):
            conversation_id = at_alice.say("hello", to=peer.user_id)["conversation_id"]
            socket.wait_messages(1, conversation_id)

        assert stage.kill_function("gateway-deliver-g2") > 0
        for peer, socket in ((carol, at_carol), (bob, at_bob)):
            conversation_id = at_alice.say("and now?", to=peer.user_id)["conversation_id"]
            assert [one["seq"] for one in socket.wait_messages(2, conversation_id)] == [1, 2]
