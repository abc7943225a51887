"""An OAuth pair that several processes use: renewed once, taken over by the others, never lost."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from configurator.clients.gitlab import GitLabClient
from configurator.errors import ConfiguratorError, UnauthorisedError
from configurator.sandbox.gitlab import GitLabSandbox
from configurator.secret import Secret
from configurator.tokens.connecting.oauth import refresh_entry
from configurator.tokens.keeping.store import Entry, Files, TokenStore, UserStore

ROOT = Path(__file__).resolve().parents[2]
PROCESS = """
import sys
from configurator.clients.gitlab import GitLabClient
from configurator.tokens.keeping.store import UserStore
store = UserStore()
client = GitLabClient("gitlab", sys.argv[1], store.get("gitlab"), bearer=True)
print(client.version())
"""


@pytest.fixture(params=[False, True], ids=["dies at once", "dies on use"])
def gitlab(request: pytest.FixtureRequest) -> Iterator[GitLabSandbox]:
    with GitLabSandbox() as server:
        server.settings.refresh_revokes_on_use = request.param
        server.add_user("ann")
        yield server


@pytest.fixture
def entry(gitlab: GitLabSandbox) -> Entry:
    """A pair that is due."""
    app = gitlab.add_application("configurator")
    issued = gitlab.authorize(app, "ann")
    assert issued.refresh_token is not None
    return Entry("oauth", gitlab.url, Secret(issued.token.value), Secret(issued.refresh_token), 0.0, app.uid)


def renewals(gitlab: GitLabSandbox) -> int:
    return sum(one.path == "/oauth/token" for one in gitlab.log)


def store_in(folder: Path) -> TokenStore:
    return TokenStore([Files(folder)], folder, refresh_entry)


def test_processes_renew_once(gitlab: GitLabSandbox, entry: Entry, tmp_path: Path) -> None:
    store_in(tmp_path).put("gitlab", entry)
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "CONFIGURATOR_STORE": str(tmp_path)}
    started = [
        subprocess.Popen([sys.executable, "-c", PROCESS, gitlab.url], env=environ, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    assert [one.communicate(timeout=30)[0].strip() for one in started] == [gitlab.version] * 2
    assert renewals(gitlab) == 1


def test_threads_renew_once(gitlab: GitLabSandbox, entry: Entry, tmp_path: Path) -> None:
    store_in(tmp_path).put("gitlab", entry)
    got: list[Secret | None] = []
    threads = [threading.Thread(target=lambda: got.append(store_in(tmp_path).get("gitlab"))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(got)) == 1 and len(got) == 6 and entry.token not in got
    assert renewals(gitlab) == 1


def test_a_run_goes_on_when_another_process_has_renewed(gitlab: GitLabSandbox, entry: Entry, tmp_path: Path) -> None:
    store = store_in(tmp_path)
    store.put("gitlab", entry)
    refused: list[Secret] = []

    def renew(token: Secret) -> Secret:
        refused.append(token)
        return store.renew("gitlab", token) or token

    client = GitLabClient("gitlab", gitlab.url, entry.token, bearer=True, renew=renew)
    assert client.version() == gitlab.version
    other = store.get("gitlab")
    assert other is not None
    assert GitLabClient("other", gitlab.url, other, bearer=True).version(), "from now on the former one is dead"
    threads = [threading.Thread(target=client.version) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == [entry.token], "asked once, for all threads"
    assert renewals(gitlab) == 1
    client.close()


def test_a_token_that_ended_in_the_middle_is_renewed(gitlab: GitLabSandbox, entry: Entry, tmp_path: Path) -> None:
    store = store_in(tmp_path)
    store.put("gitlab", entry)
    gitlab.settings.oauth_token_seconds = 0
    client = GitLabClient("gitlab", gitlab.url, entry.token, bearer=True, renew=lambda one: store.renew("gitlab", one))
    for token in gitlab.tokens:
        token.lifetime = 0
    gitlab.settings.oauth_token_seconds = 7200
    project = gitlab.add_project("shop/payments", maintainers=["ann"])
    assert client.create_hook(project.id, {"url": "http://127.0.0.1:9/x"})["url"] == "http://127.0.0.1:9/x"
    assert len(gitlab.hooks(project)) == 1, "a write is sent again only since it was refused"
    client.close()


def test_no_other_token(gitlab: GitLabSandbox, entry: Entry) -> None:
    for renew in (None, lambda token: token):
        client = GitLabClient("gitlab", gitlab.url, Secret("dead"), bearer=True, renew=renew)
        with pytest.raises(UnauthorisedError, match="not accepted"):
            client.version()
        client.close()


def test_a_store_that_takes_nothing_is_found_before_the_old_pair_dies(
    gitlab: GitLabSandbox, entry: Entry, tmp_path: Path
) -> None:
    store_in(tmp_path).put("gitlab", entry)

    class Full(Files):
        def write(self, name: str, text: str) -> None:
            raise ConfiguratorError("no space left")

    with pytest.raises(ConfiguratorError, match="no space left"):
        TokenStore([Full(tmp_path)], tmp_path, refresh_entry).get("gitlab")
    assert renewals(gitlab) == 0


def test_the_store_of_a_run(gitlab: GitLabSandbox, entry: Entry, tmp_path: Path) -> None:
    store_in(tmp_path).put("gitlab", entry)
    store = UserStore({"CONFIGURATOR_STORE": str(tmp_path)})
    assert store.is_oauth("gitlab") and store.gitlab_of("gitlab") == gitlab.url
    assert store.gitlab_of("other") is None and store.renew("other", entry.token) is None
    first = store.get("gitlab")
    assert first is not None and first != entry.token
    assert store.renew("gitlab", entry.token) == first, "another process was here first"
    assert store.renew("gitlab", first) not in (first, None)


def test_access_that_was_taken_back_is_told(gitlab: GitLabSandbox, entry: Entry, tmp_path: Path) -> None:
    store_in(tmp_path).put("gitlab", entry)
    for token in gitlab.tokens:
        token.revoked = True
    with pytest.raises(UnauthorisedError) as caught:
        store_in(tmp_path).get("gitlab")
    assert "connect gitlab again" in caught.value.hint
    assert store_in(tmp_path).entry("gitlab") == entry
