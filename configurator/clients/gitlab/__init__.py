"""GitLab: the client, put together from one part for projects and one for webhooks."""

from configurator.clients.gitlab.client import GitLabClient
from configurator.clients.gitlab.projects import ProjectPage

__all__ = ["GitLabClient", "ProjectPage"]
