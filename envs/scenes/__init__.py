"""Scene graphs from captions, images or detected objects."""

from __future__ import annotations

__all__: list[str] = []
