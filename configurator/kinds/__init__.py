"""The kinds of resources, in the order in which plans show them. A new kind is one new file and one line here."""

from __future__ import annotations

from typing import Any

from configurator.kinds.base import Kind
from configurator.kinds.connection import ConnectionKind
from configurator.kinds.credential import CredentialKind
from configurator.kinds.folder import FolderKind
from configurator.kinds.job import JobKind
from configurator.kinds.plugin import PluginKind
from configurator.kinds.view import ViewKind
from configurator.kinds.webhook import WebhookKind

KINDS: tuple[Kind[Any, Any], ...] = (
    PluginKind(),
    CredentialKind(),
    ConnectionKind(),
    FolderKind(),
    ViewKind(),
    JobKind(),
    WebhookKind(),
)
