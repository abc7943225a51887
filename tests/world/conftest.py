"""The embedded servers and a spec, as the tests of the kinds have them."""

from __future__ import annotations

from tests.kinds.conftest import bench, quiet

__all__ = ["bench", "quiet"]
