"""Signing in to GitLab in a real browser, without a window: chromium, driven by its chromedriver.

In a pipeline (``CI`` is set) a missing browser is a failure; elsewhere the tests are skipped and say so.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.expected_conditions import element_to_be_clickable
from selenium.webdriver.support.wait import WebDriverWait

from configurator.clients.gitlab import GitLabClient
from configurator.sandbox.gitlab import Application, GitLabSandbox
from configurator.sandbox.server import Fault, Request
from configurator.tokens.keeping.store import Files, TokenStore

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 20


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """The browser; one for all tests, since it takes a second to start."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    service = shutil.which("chromedriver")
    if browser is None or service is None:
        reason = "chromium and chromedriver are not installed (Debian: chromium and chromium-driver)"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    options = ChromeOptions()
    options.binary_location = browser
    profile = tmp_path_factory.mktemp("profile")
    for argument in (
        "--headless=new",
        "--no-sandbox",  # containers give it none, and the pages are our own
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--no-first-run",
        "--no-proxy-server",
        f"--user-data-dir={profile}",
    ):
        options.add_argument(argument)
    chrome = Chrome(options=options, service=Service(service))
    chrome.set_page_load_timeout(PATIENCE)
    yield chrome
    chrome.quit()


@dataclass
class SignIn:
    """``configurator connect gitlab --oauth`` as a process of its own, and the server that it signs in to."""

    gitlab: GitLabSandbox
    app: Application
    port: int
    folder: Path
    process: subprocess.Popen[str] | None = None
    requests: list[Request] = field(default_factory=list)

    def start(self) -> str:
        """Start it. Returns the address that it opens in the browser."""
        opened = self.folder / "opened"
        opener = self.folder / "browser"
        opener.write_text(f'#!/bin/sh\nprintf "%s" "$1" > {opened}.part && mv {opened}.part {opened}\n')
        opener.chmod(0o700)
        environ = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        environ |= {"PYTHONPATH": str(ROOT), "CONFIGURATOR_STORE": str(self.folder), "BROWSER": f"{opener} %s"}
        arguments = [self.gitlab.url, "--oauth", "--client-id", self.app.uid, "--port", str(self.port), "-vv"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "configurator", "connect", "gitlab", *arguments],
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        ends = time.monotonic() + PATIENCE
        while not opened.exists():
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < ends, "no browser was opened"
            time.sleep(0.02)
        return opened.read_text()

    def finish(self) -> tuple[int, str, str]:
        """Exit code and both outputs."""
        assert self.process is not None
        out, err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, out, err

    @property
    def store(self) -> TokenStore:
        return TokenStore([Files(self.folder)], self.folder)

    def sent(self, path: str) -> list[dict[str, str]]:
        """The queries and forms that reached a page of GitLab."""
        found = [one for one in self.requests if one.path == path]
        return [{**dict(one.query), **(one.form() if one.method == "POST" else {})} for one in found]


@pytest.fixture
def sign_in(tmp_path: Path, driver: Chrome) -> Iterator[SignIn]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with GitLabSandbox(context_path="/git") as gitlab:
        gitlab.add_user("ann", password="ann-password")
        app = gitlab.add_application("configurator", [f"http://127.0.0.1:{port}/callback"])
        made = SignIn(gitlab, app, port, tmp_path)

        def note(request: Request) -> bool:
            made.requests.append(request)
            return False

        gitlab.faults.append(Fault(note, "delay"))
        yield made
        if made.process is not None and made.process.poll() is None:
            made.process.kill()
            made.process.wait()
    driver.delete_all_cookies()


def find(driver: Chrome, by: str, what: str) -> WebElement:
    found: WebElement = WebDriverWait(driver, PATIENCE, 0.05).until(element_to_be_clickable((by, what)))
    return found


def press(driver: Chrome, testid: str) -> None:
    find(driver, By.CSS_SELECTOR, f"[data-testid={testid}]").click()


def go_to(driver: Chrome, address: str, button: str) -> str:
    """Sign in, press ``button``, and wait until the browser is back. Returns the heading of the last page."""
    driver.get(address)
    find(driver, By.ID, "user_login").send_keys("ann")
    find(driver, By.ID, "user_password").send_keys("ann-password")
    press(driver, "sign-in-button")
    press(driver, button)
    WebDriverWait(driver, PATIENCE, 0.05).until(lambda one: "/callback" in one.current_url)
    return find(driver, By.TAG_NAME, "h1").text


def closed(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_approve(sign_in: SignIn, driver: Chrome) -> None:
    address = sign_in.start()
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert not closed(sign_in.port)
    assert go_to(driver, address, "authorization-button") == "Back to the terminal"
    code, out, err = sign_in.finish()
    assert code == 0, err
    assert closed(sign_in.port)
    answer = dict(parse_qsl(urlsplit(driver.current_url).query))

    # The state travelled to GitLab and back, and PKCE was verified: the log of the server holds both halves.
    assert asked["state"] == answer["state"] and len(asked["state"]) >= 43
    assert sign_in.sent("/oauth/authorize")[0]["state"] == asked["state"]
    assert asked["code_challenge_method"] == "S256" and "code_verifier" not in address
    (exchange,) = sign_in.sent("/oauth/token")
    digest = hashlib.sha256(exchange["code_verifier"].encode()).digest()
    assert base64.urlsafe_b64encode(digest).decode().rstrip("=") == asked["code_challenge"]
    assert re.fullmatch(r"[A-Za-z0-9._~-]{43,128}", exchange["code_verifier"])
    assert exchange["code"] == answer["code"] and exchange["redirect_uri"] == asked["redirect_uri"]

    entry = sign_in.store.entry("gitlab")
    assert entry is not None and entry.refresh_token is not None
    assert (entry.kind, entry.user, entry.gitlab_url) == ("oauth", "ann", sign_in.gitlab.url)
    client = GitLabClient("gitlab", entry.gitlab_url, entry.token, bearer=True)
    assert client.own_user()["username"] == "ann"
    client.close()

    # The address in the window tells the code; it worked once, nobody else heard it, and no output holds it.
    hidden = [answer["code"], exchange["code_verifier"], entry.token.reveal(), entry.refresh_token.reveal()]
    assert not any(secret in out + err for secret in hidden)
    assert not any(answer["code"] in one.headers.get("referer", "") for one in sign_in.requests)


def test_refuse(sign_in: SignIn, driver: Chrome) -> None:
    assert go_to(driver, sign_in.start(), "deny-button") == "No access"
    code, out, err = sign_in.finish()
    assert (code, out) == (4, "")
    assert "GitLab gives no access" in err and "choose Authorize" in err
    assert closed(sign_in.port)
    assert sign_in.store.entry("gitlab") is None
    assert not sign_in.sent("/oauth/token")


def test_an_answer_to_another_question(sign_in: SignIn, driver: Chrome) -> None:
    sign_in.start()
    driver.get(f"http://127.0.0.1:{sign_in.port}/callback?code=forged&state=guessed")
    code, _, err = sign_in.finish()
    assert code == 1 and "its state differs" in err
    assert closed(sign_in.port)
    assert sign_in.store.entry("gitlab") is None
    assert not sign_in.sent("/oauth/token")
