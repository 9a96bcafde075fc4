"""The folder in which made databases and pictures are kept: made once, by the first who asks."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from graphenv.errors import DataError

__all__ = ["cache_folder", "cached"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def cache_folder() -> Path:
    """Return `$GRAPHENV_CACHE`, or the folder `graphenv` in the user's cache folder."""
    chosen = os.environ.get("GRAPHENV_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "graphenv"


def cached(name: str, digest: str, make: Callable[[Path], object]) -> Path:
    """Return the file (or folder) of that name and digest, made by `make(path)` if there is none.

    Made in a folder of its own beside its place and then renamed, so that nobody sees half of it
    and processes that make it at the same time do not meet: the first to finish wins.

    Parameters
    ----------
    name
        File name, letters, digits, `.`, `_`, `-`.
    digest
        What the contents depend on; another digest is another file.
    make
        Writes to the path that it is given.

    Raises
    ------
    DataError
        If the name is no file name, or the folder cannot be written.
    """
    if not _NAME.fullmatch(name) or not _NAME.fullmatch(digest):
        raise DataError(
            f"cache: {name!r} with digest {digest!r} cannot name a file; use letters, "
            "digits and ._-"
        )
    folder = cache_folder() / digest[:2] / digest
    place = folder / name
    if place.exists():
        return place
    try:
        folder.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(dir=folder, prefix=".making-"))
    except OSError as problem:
        raise DataError(
            f"cache: cannot write to {folder} ({problem}); set GRAPHENV_CACHE to a folder that can "
            "be written"
        ) from problem
    try:
        make(work / name)
        try:
            os.rename(work / name, place)
        except OSError:
            # A folder cannot replace one that is there; a file of another process is as good.
            if not place.exists():
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return place
