"""Colour, or none: the only place that knows escape sequences."""

from __future__ import annotations

from dataclasses import dataclass

from configurator.model import Action

SYMBOLS = {Action.CREATE: "+", Action.UPDATE: "~", Action.DELETE: "-", Action.CONFLICT: "!"}
_COLOURS = {Action.CREATE: "32", Action.UPDATE: "33", Action.DELETE: "31", Action.CONFLICT: "35"}


@dataclass(frozen=True, slots=True)
class Paint:
    """Puts colour on texts when ``on``, and leaves them alone otherwise."""

    on: bool = False

    def action(self, action: Action, text: str) -> str:
        """``text`` in the colour of ``action``."""
        return self._in(_COLOURS[action], text)

    def symbol(self, action: Action) -> str:
        """The sign of ``action``, in its colour."""
        return self.action(action, SYMBOLS[action])

    def bold(self, text: str) -> str:
        """A heading."""
        return self._in("1", text)

    def faint(self, text: str) -> str:
        """What matters less."""
        return self._in("2", text)

    def good(self, text: str) -> str:
        """What went well."""
        return self._in("32", text)

    def bad(self, text: str) -> str:
        """What went wrong."""
        return self._in("31", text)

    def warning(self, text: str) -> str:
        """What wants to be read."""
        return self._in("33", text)

    def _in(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.on and text else text
