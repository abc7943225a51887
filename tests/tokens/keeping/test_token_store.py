"""Where tokens are kept: files, the keyring, several processes, OAuth renewed in time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from keyring.backends import fail

from configurator.errors import ConfiguratorError, InputError
from configurator.secret import Secret
from configurator.tokens.keeping import store as module
from configurator.tokens.keeping.store import Entry, Files, Keyring, TokenStore

TOKEN = Entry("token", "https://gitlab.example.com", Secret("glpat-1"), user="alice")


def oauth(ends: float = 2000.0, token: str = "access-1") -> Entry:
    return Entry(
        "oauth",
        "https://gitlab.example.com",
        Secret(token),
        Secret(f"refresh-of-{token}"),
        ends,
        "client",
        "http://127.0.0.1:7171/callback",
        "alice",
    )


class Backend:
    """A keyring in memory that may fail."""

    name = "Memory"

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.broken = False

    def get_password(self, service: str, name: str) -> str | None:
        if self.broken:
            raise RuntimeError("locked: glpat-1")
        return self.kept.get((service, name))

    def set_password(self, service: str, name: str, text: str) -> None:
        if self.broken:
            raise RuntimeError("locked: glpat-1")
        self.kept[service, name] = text

    def delete_password(self, service: str, name: str) -> None:
        del self.kept[service, name]


def files(folder: Path, refresh: Callable[[Entry], Entry] | None = None, now: float = 0.0) -> TokenStore:
    return TokenStore([Files(folder)], folder, refresh, clock=lambda: now)


@pytest.mark.parametrize("entry", [TOKEN, oauth()])
def test_what_is_put_is_got(tmp_path: Path, entry: Entry) -> None:
    kept = files(tmp_path / "tokens")
    assert kept.entry("gitlab") is None and kept.get("gitlab") is None
    kept.put("gitlab", entry)
    assert kept.entry("gitlab") == entry
    assert kept.get("gitlab") == entry.token
    assert kept.is_oauth("gitlab") is (entry.kind == "oauth")
    assert not kept.is_oauth("other")
    assert kept.delete("gitlab") is True and kept.delete("gitlab") is False


def test_files_are_private(tmp_path: Path) -> None:
    files(tmp_path / "tokens").put("gitlab", TOKEN)
    assert (tmp_path / "tokens").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "tokens" / "gitlab.json").stat().st_mode & 0o777 == 0o600
    assert [one.name for one in (tmp_path / "tokens").iterdir()] == ["gitlab.json"]


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "x" * 64, "a b"])
def test_names(tmp_path: Path, name: str) -> None:
    for call in (files(tmp_path).entry, files(tmp_path).delete, lambda n: files(tmp_path).put(n, TOKEN)):
        with pytest.raises(InputError, match="not a name to keep a token under"):
            call(name)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 2}', '{"version": 1, "kind": "x"}', "\x00"])
def test_a_damaged_file_names_the_cure_and_not_its_content(tmp_path: Path, text: str) -> None:
    (tmp_path / "gitlab.json").write_text(text)
    with pytest.raises(ConfiguratorError, match="damaged") as caught:
        files(tmp_path).get("gitlab")
    assert "connect gitlab --name gitlab" in caught.value.hint


def test_a_folder_that_can_not_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = files(tmp_path / "file")
    with pytest.raises(ConfiguratorError, match="can't be used"):
        store.put("gitlab", TOKEN)
    with pytest.raises(ConfiguratorError, match="can't be locked"), store.lock("gitlab"):
        pass
    (tmp_path / "tokens" / "gitlab.json").mkdir(parents=True)
    for call in (files(tmp_path / "tokens").get, files(tmp_path / "tokens").delete):
        with pytest.raises(ConfiguratorError, match="can't be used"):
            call("gitlab")


def test_the_keyring_goes_before_files(tmp_path: Path) -> None:
    backend = Backend()
    old = Files(tmp_path)
    TokenStore([old], tmp_path).put("gitlab", TOKEN)
    store = TokenStore([Keyring(backend), old], tmp_path)  # type: ignore[arg-type]
    assert store.where == "the system keyring (Memory)"
    assert store.entry("gitlab") == TOKEN, "what was kept before there was a keyring is found"
    store.put("gitlab", oauth())
    assert not (tmp_path / "gitlab.json").exists(), "and doesn't come back one day"
    assert store.entry("gitlab") == oauth()
    assert store.delete("gitlab") is True and backend.kept == {}


def test_a_keyring_that_refuses_is_told_without_its_words(tmp_path: Path) -> None:
    backend = Backend()
    backend.broken = True
    store = TokenStore([Keyring(backend)], tmp_path)  # type: ignore[arg-type]
    for call in (store.get, lambda name: store.put(name, TOKEN)):
        with pytest.raises(ConfiguratorError, match="can't be used: RuntimeError") as caught:
            call("gitlab")
        assert "glpat-1" not in str(caught.value) and "CONFIGURATOR_STORE" in caught.value.hint


def test_opening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import keyring

    monkeypatch.setattr("platformdirs.user_config_path", lambda name: tmp_path / name)
    found: list[Any] = [fail.Keyring()]
    monkeypatch.setattr(keyring, "get_keyring", lambda: found[0])
    assert TokenStore.open({}).where == f"the folder {tmp_path / 'configurator' / 'tokens'}"
    monkeypatch.setattr(Backend, "priority", 5, raising=False)
    found[0] = Backend()
    assert TokenStore.open({}).where == "the system keyring (Memory)"
    assert TokenStore.open({module.FOLDER_VARIABLE: str(tmp_path / "own")}).where == f"the folder {tmp_path / 'own'}"

    def broken() -> None:
        raise ValueError("bad configuration")

    monkeypatch.setattr(keyring, "get_keyring", broken)
    assert TokenStore.open({}).where.startswith("the folder")


def test_oauth_is_renewed_in_time_and_once(tmp_path: Path) -> None:
    calls = []

    def renew(entry: Entry) -> Entry:
        calls.append(entry.token)
        return oauth(ends=10_000.0, token="access-2")

    files(tmp_path).put("gitlab", oauth(ends=2000.0))
    assert files(tmp_path, renew, now=1000.0).get("gitlab") == Secret("access-1")
    threads = [threading.Thread(target=files(tmp_path, renew, now=1500.0).get, args=("gitlab",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == [Secret("access-1")]
    assert files(tmp_path).entry("gitlab") == oauth(ends=10_000.0, token="access-2")
    files(tmp_path).put("plain", TOKEN)
    assert files(tmp_path, renew, now=1e12).get("plain") == TOKEN.token


def test_a_keyring_that_can_not_delete(tmp_path: Path) -> None:
    backend = Backend()
    store = TokenStore([Keyring(backend)], tmp_path)  # type: ignore[arg-type]
    assert store.delete("gitlab") is False
    store.put("gitlab", TOKEN)
    backend.broken = True
    with pytest.raises(ConfiguratorError, match="can't be used"):
        store.delete("gitlab")


def test_what_is_renewed_after_a_refusal(tmp_path: Path) -> None:
    store = files(tmp_path, lambda entry: oauth(ends=10_000.0, token="access-2"))
    assert store.renew("gitlab", Secret("access-1")) is None
    store.put("gitlab", oauth())
    assert store.renew("gitlab", Secret("access-0")) == Secret("access-1"), "another process was here first"
    assert store.renew("gitlab", Secret("access-1")) == Secret("access-2")
    store.put("plain", TOKEN)
    assert store.renew("plain", TOKEN.token) == TOKEN.token, "nothing renews that"
    files(tmp_path).put("gitlab", oauth())
    assert files(tmp_path).renew("gitlab", Secret("access-1")) == Secret("access-1"), "nobody there who renews"


def test_the_file_with_the_authorities_is_kept(tmp_path: Path) -> None:
    kept = replace(oauth(), ca_file="/etc/ssl/own.pem")
    files(tmp_path).put("gitlab", kept)
    assert files(tmp_path).entry("gitlab") == kept
