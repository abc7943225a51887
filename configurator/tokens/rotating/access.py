"""What a rotation asks: which token is meant, what GitLab says of it, and clients that send one token or another."""

from __future__ import annotations

import contextlib
from pathlib import Path

from configurator.clients.gitlab import GitLabClient
from configurator.errors import ConfiguratorError, PermissionMissingError, RefusedError
from configurator.run import Run
from configurator.secret import Secret
from configurator.spec.models import GitLab, Rotation, SecretRef
from configurator.tokens.rotating.model import Subject
from configurator.tokens.rotating.rules import subject_of
from configurator.world.survey import release_of


class Access:
    """One gitlab entry, seen by who rotates its token.

    Args:
        run: the spec with its servers.
        entry: the gitlab entry.
        open: closes the clients in the end.
    """

    def __init__(self, run: Run, entry: GitLab, open: contextlib.ExitStack) -> None:
        self._run = run
        self.entry = entry
        self._open = open

    def rotation(self) -> Rotation:
        """What the spec says of it. Raises RefusedError where it says nothing."""
        if self.entry.rotation is None:
            raise RefusedError(
                f"the gitlab entry {self.entry.name} does not say how its token is rotated",
                "add to it: rotation: {expires_in: 90, sinks: [{file: PATH}]}",
            )
        return self.entry.rotation

    def reference(self) -> SecretRef:
        """The token that is rotated: an OAuth access renews itself, so there it is the one for Jenkins."""
        if not self._run.secrets.is_oauth(self.entry.token):
            return self.entry.token
        if self.entry.credential.token is None:
            raise RefusedError(
                f"the token of {self.entry.name} is an OAuth access, which renews itself; there is nothing to rotate",
                "name in credential.token the token that Jenkins uses",
            )
        return self.entry.credential.token

    def client(self, token: Secret, timeout: float = 0.0) -> GitLabClient:
        """A client that sends ``token``; it waits for an answer as long as the spec says, or ``timeout`` seconds."""
        entry = self.entry
        verify: bool | str = entry.ssl_verification
        if verify and entry.ca_file:
            verify = str(self._run.loaded.base / Path(entry.ca_file).expanduser())
        client = GitLabClient(
            entry.name,
            entry.url,
            token,
            workers=1,
            redactor=self._run.redactor,
            timeout=max(entry.timeout, timeout),
            verify=verify,
        )
        self._open.callback(client.close)
        return client

    def admin(self, timeout: float = 0.0) -> GitLabClient:
        """A client that sends the token which makes other tokens. Raises RefusedError where there is none."""
        reference = self.rotation().admin_token
        if reference is None:
            raise RefusedError(
                "the overlap can't be ended: rotation.admin_token is not in the spec any more", "put it back"
            )
        return self.client(self._run.secrets.get(reference), timeout)

    def subject(self, client: GitLabClient) -> Subject:
        """The token as GitLab describes it. Raises ConfiguratorError where it does not."""
        try:
            record = client.token_info()
        except PermissionMissingError as error:
            raise ConfiguratorError(f"{error}: a token that may not read itself can't be rotated", error.hint) from None
        if record is None:
            raise ConfiguratorError(
                f"{client.label}: this GitLab does not tell what the token is (it does from 15.5 on)",
                "make a new token by hand",
            )
        username, version = "", None
        with contextlib.suppress(PermissionMissingError):  # a token of scope self_rotate alone
            username = str(client.own_user().get("username") or "")
            version = client.version()
        return subject_of(record, username, release_of(version))
