"""A real browser on the stage's web page, and people who use it."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from dev_cli.setup.chromium import chromium
from tests.fixtures.stage import Stage

DEADLINE_MS = 30_000
"""How long a test waits for what must come: far over any budget, so that only a loss fails."""

PASSWORD = "correct horse battery"


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody with a browser of their own, logged in."""

    name: str
    username: str
    context: BrowserContext
    page: Page
    faults: list[str]
    """What the page complained about: errors of its script, and breaches of its policy."""

    def open_chat_with(self, name: str) -> None:
        """Open a chat from the list."""
        self.page.get_by_role("navigation", name="Chats").get_by_role("button", name=name).click()
        expect(self.page.get_by_role("region", name=f"Chat with {name}")).to_be_visible()

    def find(self, other: "Person") -> None:
        """Begin a chat with somebody by username."""
        self.page.get_by_role("button", name="New chat").click()
        self.page.get_by_label("Find somebody by username").fill(other.username)
        self.page.get_by_role("button", name=f"@{other.username}").click()
        expect(self.page.get_by_role("region", name=f"Chat with {other.name}")).to_be_visible()

    def say(self, *texts: str) -> None:
        """Type and send."""
        line = self.page.get_by_role("textbox", name="Message")
        for text in texts:
            line.fill(text)
            line.press("Enter")

    def messages(self) -> Locator:
        """Give the messages of the open chat."""
        return self.page.locator("li.message")

    def message(self, text: str) -> Locator:
        """Give the one message with this text: two of them fail whatever is expected of it."""
        return self.messages().filter(has=self.page.locator("p.text", has_text=text))

    def choose(self, text: str, action: str) -> None:
        """Do something with a message by its menu."""
        self.message(text).hover()
        self.message(text).get_by_role("button", name="Actions for").click()
        self.page.get_by_role("menuitem", name=action).click()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start the browser once a module; without its sandbox, which a browser of root's does not have.

    Not once a session: as long as Playwright runs, its event loop does, and others' tests could start none.
    """
    expect.set_options(timeout=DEADLINE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield browser
        browser.close()


class People:
    """Makes people, each with a browser of their own."""

    def __init__(self, browser: Browser, stage: Stage) -> None:
        self._browser = browser
        self._web_url = stage.web_url
        self._http_url = stage.http_url
        self.all: list[Person] = []

    def join(self, name: str, **options: Any) -> Person:
        """Create an account on the page, as a stranger would."""
        context = self._browser.new_context(**options)
        context.set_default_timeout(DEADLINE_MS)
        page = context.new_page()
        faults = watch(page)
        person = Person(
            name=name,
            username=f"{name.lower()}-{uuid.uuid4().hex[:8]}",
            context=context,
            page=page,
            faults=faults,
        )
        self.all.append(person)
        page.goto(self._web_url)
        page.get_by_role("button", name="New here?").click()
        page.get_by_label("Username").fill(person.username)
        page.get_by_label("Name (as others see it)").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Create account").click()
        expect(page.get_by_role("navigation", name="Chats")).to_be_visible()
        return person

    def log_in(self, person: Person) -> Person:
        """Log somebody in on another browser."""
        context = self._browser.new_context()
        context.set_default_timeout(DEADLINE_MS)
        page = context.new_page()
        other = Person(name=person.name, username=person.username, context=context, page=page, faults=watch(page))
        self.all.append(other)
        page.goto(self._web_url)
        page.get_by_label("Username").fill(person.username)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("navigation", name="Chats")).to_be_visible()
        return other

    def leave(self, someone: Person) -> None:
        """Close somebody's browser; whatever its page complained about fails the test."""
        self.all.remove(someone)
        someone.context.close()
        assert someone.faults == []

    def forget_chats(self, person: Person) -> None:
        """Delete all chats of somebody, on a device that the tests don't look at."""
        with httpx.Client(base_url=f"{self._http_url}/api/v1", timeout=30) as api:
            login = {"username": person.username, "password": PASSWORD, "device_id": "broom", "platform": "desktop"}
            tokens = api.post("/auth/login", json=login).raise_for_status().json()
            api.headers["authorization"] = f"Bearer {tokens['access_token']}"
            for chat in api.get("/conversations").raise_for_status().json()["conversations"]:
                api.delete(f"/conversations/{chat['conversation_id']}").raise_for_status()
        expect(person.page.get_by_text("No chats yet.")).to_be_attached()
        expect(person.page.locator(".thread")).to_have_count(0)


def watch(page: Page) -> list[str]:
    """Collect errors of the page's script and breaches of its policy; failed requests are part of some tests."""
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda line: faults.append(line.text) if "Content Security Policy" in line.text else None)
    return faults


@pytest.fixture(scope="module")
def town(browser: Browser, stage: Stage) -> Iterator[People]:
    """Give the people who stay logged in from test to test: to make an account takes seconds, as it should."""
    town = People(browser, stage)
    yield town
    for person in list(town.all):
        town.leave(person)


@pytest.fixture
def people(town: People) -> Iterator[People]:
    """Give a test its people, and send those whom it has brought home again."""
    staying = list(town.all)
    yield town
    for person in [one for one in town.all if one not in staying]:
        town.leave(person)


@pytest.fixture(scope="module")
def resident_alice(town: People) -> Person:
    """Make the account of somebody at a desk."""
    return town.join("Alice")


@pytest.fixture(scope="module")
def resident_bob(town: People) -> Person:
    """Make the account of somebody with a phone."""
    return town.join("Bob", viewport={"width": 412, "height": 800}, has_touch=True, color_scheme="dark")


@pytest.fixture
def alice(resident_alice: Person, town: People) -> Iterator[Person]:
    """Somebody at a desk, without a chat."""
    yield resident_alice
    town.forget_chats(resident_alice)


@pytest.fixture
def bob(resident_bob: Person, town: People) -> Iterator[Person]:
    """Somebody with a phone, without a chat."""
    yield resident_bob
    town.forget_chats(resident_bob)
