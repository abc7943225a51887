"""The embedded Jenkins: as faithful as the contract, over real HTTP, on loopback."""

from configurator.sandbox.jenkins.permissions import User
from configurator.sandbox.jenkins.plugins import INSTALLED, PluginManager
from configurator.sandbox.jenkins.server import JenkinsSandbox

__all__ = ["INSTALLED", "JenkinsSandbox", "PluginManager", "User"]
