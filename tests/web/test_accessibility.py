"""Nobody is kept out: axe-core finds no fault with the page, light or dark, on a desk or a phone."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.fixtures.stage import Stage
from tests.web.conftest import Person


def faults_of(page: Page) -> list[str]:
    """Say what axe-core finds, in words."""
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {one['help']}: {[node['html'][:160] for node in one['nodes']]}" for one in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_login_is_accessible(browser: Browser, stage: Stage, scheme: str) -> None:
    page = browser.new_page(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(stage.web_url)
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    assert faults_of(page) == []
    page.close()


def test_chats_menus_and_dialogs_are_accessible(alice: Person, bob: Person) -> None:
    alice.find(bob)
    alice.say("Hello", "https://example.org is a link")
    bob.open_chat_with("Alice")
    bob.choose("Hello", "React with 👍")
    bob.choose("Hello", "Reply")
    bob.say("Hello yourself")
    expect(alice.message("Hello yourself")).to_be_visible()
    for person in (alice, bob):
        assert faults_of(person.page) == []
        person.message("Hello yourself").hover()
        person.message("Hello yourself").get_by_role("button", name="Actions for").click()
        assert faults_of(person.page) == []
        person.page.keyboard.press("Escape")
        person.page.get_by_role("button", name="About this chat").click()
        assert faults_of(person.page) == []
        person.page.get_by_role("button", name="Close").click()


def test_a_message_is_read_reacted_to_and_answered_with_the_keyboard_alone(alice: Person, bob: Person) -> None:
    alice.find(bob)
    alice.say("with the keyboard")
    bob.open_chat_with("Alice")
    expect(bob.page.locator("[aria-live]")).to_be_attached()
    bob.message("with the keyboard").get_by_role("button", name="Actions for").focus()
    bob.page.keyboard.press("Enter")
    bob.page.keyboard.press("ArrowRight")
    bob.page.keyboard.press("Enter")
    expect(alice.message("with the keyboard").get_by_role("button", name="❤️ 1")).to_be_visible()
    bob.page.get_by_role("textbox", name="Message").focus()
    bob.page.keyboard.type("answered")
    bob.page.keyboard.press("Enter")
    expect(alice.page.locator("[aria-live]")).to_have_text("Bob: answered")
