"""Jenkins: the client, and the paths that others need to know.

:class:`JenkinsClient` is put together from one part for each kind of thing: items, views, credentials, plugins,
the script console, which runs the files in ``scripts/``, and the endpoint that takes webhooks.
"""

from configurator.clients.jenkins.client import JenkinsClient
from configurator.clients.jenkins.endpoint import EndpointAnswer
from configurator.clients.jenkins.names import hook_path, item_path, view_path
from configurator.clients.jenkins.plugins import Installation

__all__ = ["EndpointAnswer", "Installation", "JenkinsClient", "hook_path", "item_path", "view_path"]
