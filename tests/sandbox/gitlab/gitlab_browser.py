"""A browser without a window: it keeps cookies, follows the instance's own redirects, and fills in forms."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from urllib.parse import parse_qs, urljoin, urlsplit

import requests
from lxml import html

VERIFIER = "v" * 43


def challenge_of(verifier: str = VERIFIER) -> str:
    """The S256 challenge of a verifier."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


@dataclass
class Page:
    """What the browser shows: ``location`` is set when it was sent to another site."""

    url: str
    status: int
    text: str
    headers: dict[str, str]
    location: str | None = None

    @property
    def answer(self) -> dict[str, str]:
        """The query of the address it was sent to."""
        assert self.location is not None, self.text
        return {name: values[0] for name, values in parse_qs(urlsplit(self.location).query).items()}

    @property
    def heading(self) -> str:
        return str(html.fromstring(self.text).findtext(".//h1"))


class HeadlessBrowser:
    """Opens pages and presses buttons."""

    def __init__(self) -> None:
        self._session = requests.Session()
        self.page = Page("", 0, "", {})

    def open(self, url: str, **params: str) -> Page:
        return self._load("GET", url, params=params)

    def press(self, testid: str, **fields: str) -> Page:
        """Press a button, with the fields of its form filled in; ``__`` in a name stands for ``[…]``."""
        document = html.fromstring(self.page.text)
        (button,) = document.xpath(f"//button[@data-testid='{testid}']")
        form = next(button.iterancestors("form"))
        data = {str(box.name): str(box.value or "") for box in form.xpath(".//input")}
        for name, value in fields.items():
            base, _, inner = name.partition("__")
            data[f"{base}[{inner}]" if inner else base] = value
        if button.get("name"):
            data[button.get("name")] = button.get("value")
        return self._load("POST", urljoin(self.page.url, form.action), data=data)

    def sign_in(self, user: str = "ann", password: str = "ann-password") -> Page:
        return self.press("sign-in-button", user__login=user, user__password=password)

    def _load(self, method: str, url: str, **options: object) -> Page:
        origin = urlsplit(url)[:2]
        while True:
            answer = self._session.request(method, url, allow_redirects=False, timeout=5, **options)  # type: ignore[arg-type]
            location = answer.headers.get("Location")
            target = urljoin(url, location) if location else None
            here = target is not None and urlsplit(target)[:2] == origin
            if target is None or not here:
                self.page = Page(answer.url, answer.status_code, answer.text, dict(answer.headers), target)
                return self.page
            method, url, options = "GET", target, {}
