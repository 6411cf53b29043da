"""People talk on the web page, each in a real browser."""

import re

from playwright.sync_api import expect

from tests.web.conftest import People, Person

KEPT = """() => new Promise((resolve) => {
  indexedDB.open("gochat").onsuccess = ({ target: { result } }) => {
    const all = result.transaction("rows").objectStore("rows").getAllKeys();
    all.onsuccess = () => resolve(all.result);
  };
})"""
"""The names of all that the page has kept in its browser."""


def test_two_people_talk_and_see_how_far_each_message_has_come(alice: Person, bob: Person) -> None:
    alice.find(bob)
    alice.say("Hello Bob", "Are you there?")
    expect(alice.message("Are you there?")).to_have_attribute("data-state", "delivered")
    expect(bob.page.get_by_role("button", name="Alice")).to_contain_text("2 unread")
    expect(bob.page).to_have_title("(2) GoChat")
    bob.open_chat_with("Alice")
    expect(alice.message("Hello Bob")).to_have_attribute("data-state", "read")
    bob.page.get_by_role("textbox", name="Message").press_sequentially("I am")
    expect(alice.page.locator(".thread .status")).to_have_text("typing…")
    bob.page.keyboard.press("Enter")
    expect(alice.message("I am")).to_be_visible()
    expect(alice.page.locator(".thread .status")).to_have_text("online")
    expect(bob.page).to_have_title("GoChat")


def test_what_becomes_of_a_message_is_seen_live_and_after_a_reload(alice: Person, bob: Person) -> None:
    alice.find(bob)
    alice.say("frist", "a secret", "which one?")
    bob.open_chat_with("Alice")
    bob.choose("frist", "React with 🎉")
    expect(alice.message("frist").get_by_role("button", name="🎉 1")).to_be_visible()
    alice.choose("frist", "Edit")
    alice.say("first")
    expect(bob.message("first")).to_contain_text("edited")
    alice.choose("a secret", "Recall")
    expect(bob.messages().nth(1)).to_have_text(re.compile("Message recalled"))
    bob.choose("which one?", "Reply")
    bob.say("the first one")
    expect(alice.message("the first one").locator(".quote")).to_contain_text("which one?")
    bob.message("first").first.get_by_role("button", name="🎉 1").click()
    expect(alice.message("first").first.get_by_role("button", name="🎉")).to_have_count(0)

    for person in (alice, bob):
        person.page.reload()
        expect(person.messages()).to_have_count(4)
        expect(person.messages().nth(0)).to_contain_text("first")
        expect(person.messages().nth(1)).to_contain_text("Message recalled")
        expect(person.messages().nth(3).locator(".quote")).to_contain_text("which one?")


def test_a_dead_network_loses_nothing_and_doubles_nothing_not_even_over_a_reload(alice: Person, bob: Person) -> None:
    alice.find(bob)
    alice.say("before")
    bob.open_chat_with("Alice")
    expect(bob.message("before")).to_be_visible()

    alice.context.set_offline(True)
    expect(alice.page.get_by_text("No connection.")).to_be_visible()
    alice.say("while away 1", "while away 2")
    expect(alice.message("while away 2")).to_have_attribute("data-state", re.compile("queued|waiting"))
    bob.say("meanwhile 1", "meanwhile 2")
    expect(bob.message("meanwhile 2")).to_have_attribute("data-state", "stored")
    alice.context.set_offline(False)
    expect(alice.message("while away 2")).to_have_attribute("data-state", "read")

    expected = ["before", "meanwhile 1", "meanwhile 2", "while away 1", "while away 2"]
    for person in (alice, bob):
        expect(person.messages().locator("p.text")).to_have_text(expected)

    # Typed and sent, and the page is gone before anything can be told to the service.
    alice.context.route("**/*", lambda route: route.abort() if "/api/" in route.request.url else route.continue_())
    alice.context.set_offline(True)
    alice.say("last words")
    expect(alice.message("last words")).to_be_visible()
    alice.context.set_offline(False)
    alice.context.unroute_all()
    alice.page.reload()
    expect(bob.messages().locator("p.text")).to_have_text([*expected, "last words"])
    expect(alice.messages().locator("p.text")).to_have_text([*expected, "last words"])


def test_a_group_is_made_grows_and_shrinks(people: People, alice: Person, bob: Person) -> None:
    carol = people.join("Carol")
    alice.page.get_by_role("button", name="New chat").click()
    alice.page.get_by_role("button", name="New group").click()
    alice.page.get_by_label("Name of the group").fill("Friday")
    alice.page.get_by_label("Add people by username").fill(bob.username)
    alice.page.get_by_role("button", name=f"@{bob.username}").click()
    alice.page.get_by_role("button", name="Create group").click()
    expect(alice.page.get_by_role("region", name="Chat with Friday")).to_be_visible()
    alice.say("Welcome")
    bob.open_chat_with("Friday")
    expect(bob.message("Welcome")).to_be_visible()

    alice.page.get_by_role("button", name="About this chat").click()
    alice.page.get_by_label("Invite by username").fill(carol.username)
    alice.page.get_by_role("button", name=f"@{carol.username}").click()
    expect(alice.page.get_by_role("heading", name="3 members")).to_be_visible()
    alice.page.get_by_role("button", name="Close").click()
    carol.open_chat_with("Friday")
    carol.say("Hello all")
    expect(bob.message("Hello all")).to_contain_text("Carol")
    expect(carol.message("Welcome")).to_have_count(0)

    bob.page.get_by_role("button", name="About this chat").click()
    bob.page.get_by_role("button", name="Leave group").click()
    expect(bob.page.get_by_role("button", name="Friday")).to_have_count(0)
    expect(alice.page.get_by_role("list", name="Messages").get_by_text("Bob left the group")).to_be_visible()


def test_muting_pinning_and_deleting_a_chat_hold_on_every_device(people: People, alice: Person, bob: Person) -> None:
    alice.find(bob)
    alice.say("one")
    desk = people.log_in(alice)
    desk.open_chat_with("Bob")
    expect(desk.message("one")).to_be_visible()
    alice.page.get_by_role("button", name="About this chat").click()
    alice.page.get_by_role("switch", name="Mute").check()
    alice.page.get_by_role("switch", name="Pin to the top").check()
    expect(desk.page.get_by_role("button", name="Bob")).to_contain_text("pinned")
    expect(desk.page.get_by_role("button", name="Bob")).to_contain_text("muted")
    alice.page.get_by_role("button", name="Delete chat for me").click()
    expect(desk.page.get_by_text("No chats yet.")).to_be_visible()
    expect(bob.page.get_by_role("button", name="Alice")).to_be_visible()


def test_history_is_loaded_while_one_scrolls_up(alice: Person, bob: Person) -> None:
    alice.find(bob)
    texts = [f"number {number:02}" for number in range(1, 31)]
    alice.say(*texts)
    expect(alice.message("number 30")).to_have_attribute("data-state", re.compile("stored|delivered"))
    # A device that never saw it has the latest 20, and the rest when somebody looks.
    bob.context.clear_cookies()
    bob.page.reload()
    bob.open_chat_with("Alice")
    expect(bob.message("number 30")).to_be_visible()
    bob.page.get_by_role("list", name="Messages").evaluate("list => { list.scrollTop = 0; }")
    expect(bob.messages().locator("p.text")).to_have_text(texts)


def test_one_tab_at_a_time_is_the_client_and_another_can_take_over(alice: Person, bob: Person) -> None:
    alice.find(bob)
    alice.say("from the first tab")
    expect(alice.message("from the first tab")).to_have_attribute("data-state", "delivered")
    second = alice.context.new_page()
    second.goto(alice.page.url)
    second.get_by_role("button", name="Use it here").click()
    expect(second.locator("li.message")).to_have_count(1)
    expect(alice.page.get_by_text("GoChat is open in another tab")).to_be_visible()
    second.close()
    expect(alice.messages()).to_have_count(1)


def test_a_logout_everywhere_ends_every_browser_and_leaves_nothing(people: People, bob: Person) -> None:
    dora = people.join("Dora")
    dora.find(bob)
    dora.say("between us")
    desk = people.log_in(dora)
    desk.open_chat_with("Bob")
    dora.page.get_by_role("button", name="Settings").click()
    dora.page.get_by_role("button", name="Log out everywhere").click()
    expect(dora.page.get_by_role("button", name="Log in", exact=True)).to_be_visible()
    expect(desk.page.get_by_text("Your login has ended.")).to_be_visible()
    for person in (dora, desk):
        assert person.page.evaluate(KEPT) == [["session", "device"]]
