"""What to do when a write went out and its answer never came: look, and only then repeat."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from configurator.errors import AlreadyExistsError, AnswerLostError, NotFoundError


class Found(Enum):
    """What is on the server after a creation whose answer was lost."""

    ABSENT = "absent"
    SAME = "same"
    OTHER = "other"


def create_once(create: Callable[[], object], look: Callable[[], Found]) -> None:
    """Create a thing; when the answer is lost, look, and create it again only where nothing is.

    Raises:
        AnswerLostError: lost twice, or something else is there than what was sent.
    """
    try:
        create()
        return
    except AnswerLostError:
        found = look()
        if found is Found.SAME:
            return
        if found is Found.OTHER:
            raise
    try:
        create()
    except (AnswerLostError, AlreadyExistsError):
        # The first request may have been slow rather than lost.
        if look() is not Found.SAME:
            raise


def delete_once(delete: Callable[[], object]) -> None:
    """Delete a thing; after a lost answer once more, and then "not found" means done.

    Raises:
        NotFoundError: it was not there to begin with.
    """
    try:
        delete()
        return
    except AnswerLostError:
        pass
    try:
        delete()
    except NotFoundError:
        return
