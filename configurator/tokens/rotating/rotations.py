"""The tokens of several gitlab entries, one after the other; what fails for one does not stop the others."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import Self, TypeVar

from configurator.engine.apply import Listener
from configurator.errors import (
    EXIT_DONE,
    EXIT_FAILED,
    EXIT_REFUSED,
    ConfiguratorError,
    InputError,
    Problem,
    RefusedError,
)
from configurator.run import Run
from configurator.spec.models import GitLab
from configurator.spec.suggest import suggestion
from configurator.tokens.keeping.store import TokenStore
from configurator.tokens.rotating.model import FAILURES, Ending, Rotated, Wish
from configurator.tokens.rotating.rotation import EntryRotation, Ready

T = TypeVar("T")


def chosen(run: Run, names: Sequence[str]) -> list[GitLab]:
    """The entries that are meant: those named, or all that say how their token is rotated.

    Raises:
        InputError: there is no entry of that name.
        RefusedError: no entry says how.
    """
    entries = {entry.name: entry for entry in run.loaded.spec.gitlab}
    unknown = [name for name in names if name not in entries]
    if unknown:
        raise InputError(
            [
                Problem(
                    f"there is no gitlab entry {name!r}",
                    hint=suggestion(name, list(entries)) or f"one of {', '.join(entries) or '(none)'}",
                )
                for name in unknown
            ]
        )
    if names:
        return [entries[name] for name in dict.fromkeys(names)]
    found = [entry for entry in entries.values() if entry.rotation is not None]
    if not found:
        raise RefusedError(
            "no gitlab entry of the spec says how its token is rotated",
            "add to one: rotation: {expires_in: 90, sinks: [{file: PATH}]}",
        )
    return found


class Rotations:
    """Rotations of several entries. Use it in a ``with`` block.

    Args:
        run: the spec with its servers.
        entries: of which the tokens are rotated.
        wish: what the user asked for.
        store: opens the store of ``{stored: …}``.
        environ: environment of commands.

    Attributes:
        ready: those that were proven, by entry.
    """

    def __init__(
        self,
        run: Run,
        entries: Iterable[GitLab],
        wish: Wish,
        store: Callable[[], TokenStore],
        environ: Mapping[str, str],
    ) -> None:
        self._run = run
        self._all = [EntryRotation(run, entry, wish, store, environ) for entry in entries]
        self._open = contextlib.ExitStack()
        self._ended: dict[str, Rotated] = {}
        self.ready: dict[str, Ready] = {}

    def __enter__(self) -> Self:
        """Keep other processes away from these tokens."""
        for one in self._all:
            self._noting(one, partial(self._open.enter_context, one))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def listen(self, listener: Listener) -> None:
        """From now on ``listener`` hears of the stages."""
        for one in self._all:
            one.listener = listener

    def prepare(self) -> None:
        """Look at every token, decide, and prove; :attr:`ready` are those to be rotated."""
        for one in self._left():
            prepared = self._noting(one, one.prepare)
            if isinstance(prepared, Rotated):
                self._ended[one.entry.name] = prepared
            elif prepared is not None:
                self._note_ready(one, prepared)

    def dry(self) -> tuple[Rotated, ...]:
        """What would be done."""
        for one in self._left():
            self._ended[one.entry.name] = one.proved(self.ready[one.entry.name])
        return self.results()

    def carry_out(self, stop: threading.Event) -> tuple[Rotated, ...]:
        """Rotate what was prepared."""
        for one in self._left():
            ended = self._noting(one, partial(one.carry_out, self.ready[one.entry.name], stop))
            if ended is not None:
                self._ended[one.entry.name] = ended
        return self.results()

    def resume(self, stop: threading.Event) -> tuple[Rotated, ...]:
        """Finish what earlier runs left."""
        for one in self._left():
            ended = self._noting(one, partial(one.resume, stop))
            if ended is not None:
                self._ended[one.entry.name] = ended
        return self.results()

    def results(self) -> tuple[Rotated, ...]:
        """How each ended, in the order of the entries."""
        return tuple(self._ended[one.entry.name] for one in self._all if one.entry.name in self._ended)

    def _left(self) -> list[EntryRotation]:
        return [one for one in self._all if one.entry.name not in self._ended]

    def _note_ready(self, one: EntryRotation, ready: Ready) -> None:
        """Two entries may have one token, which is rotated once."""
        twin = next((name for name, other in self.ready.items() if other.present.matches(ready.present)), None)
        if twin is None:
            self.ready[one.entry.name] = ready
        else:
            detail = f"its token is that of {twin}, which is rotated"
            self._ended[one.entry.name] = Rotated(one.entry.name, Ending.NOT_DUE, detail, ready.subject.name)

    def _noting(self, one: EntryRotation, work: Callable[[], T]) -> T | None:
        try:
            return work()
        except ConfiguratorError as error:
            words = f"{error}. {error.hint}".rstrip(". ") if error.hint else str(error)
            ending = Ending.REFUSED if isinstance(error, RefusedError) else Ending.FAILED
            detail = self._run.redactor.clean(words)
            self._ended[one.entry.name] = Rotated(one.entry.name, ending, detail, recovery=one.left_over())
            return None
        except KeyboardInterrupt:
            path = one.left_over()
            if path is None:
                raise
            raise ConfiguratorError(
                f"stopped in the middle; what is left to do is in {path}", "run `configurator token rotate --resume`"
            ) from None


def exit_code(results: Iterable[Rotated]) -> int:
    """1 when something is not as it should be, 4 when a guard said no, else 0."""
    endings = {one.ending for one in results}
    if endings & FAILURES:
        return EXIT_FAILED
    return EXIT_REFUSED if Ending.REFUSED in endings else EXIT_DONE
