"""Opening a page for the person at this machine, where there is a browser with a window."""

from __future__ import annotations

import os
import sys
import webbrowser
from collections.abc import Mapping


def open_page(url: str, environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> bool:
    """Open ``url`` in a browser.

    Without a window system nothing is tried: Python would start a browser in this very terminal.

    Args:
        url: the page.
        environ: the environment: ``BROWSER`` names a browser, ``DISPLAY`` and ``WAYLAND_DISPLAY`` a screen.
        platform: as in ``sys.platform``.

    Returns:
        False where none could be started; never raises.
    """
    has_window = platform in ("darwin", "win32") or environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")
    if not has_window and not environ.get("BROWSER"):
        return False
    try:
        return webbrowser.open(url)
    except (webbrowser.Error, OSError):
        return False
