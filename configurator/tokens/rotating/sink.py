"""What a sink is: a place that takes a new token, and can prove beforehand that it will."""

from __future__ import annotations

from abc import ABC, abstractmethod

from configurator.secret import Secret


class SinkTarget(ABC):
    """A place that takes the new token.

    Attributes:
        label: what it is called in messages, such as ``file /run/secrets/gitlab``.
    """

    label: str

    @abstractmethod
    def prove(self, present: Secret) -> str:
        """See that it will take the new token, without changing what it holds.

        Args:
            present: the token as it is now: the new one looks like it.

        Returns:
            What was proven, for people.

        Raises:
            ConfiguratorError: it will not, with the cure.
        """

    @abstractmethod
    def write(self, token: Secret) -> str:
        """Write the new token, over whatever is there. May be repeated.

        Returns:
            What was done, for people.

        Raises:
            ConfiguratorError: it was not written.
        """
