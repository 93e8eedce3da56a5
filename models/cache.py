"""Where downloaded and made files are kept between runs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["cache_folder"]


def cache_folder() -> Path:
    """Return the folder for files that can be had again, such as weights; it may not exist yet.

    ``$SIGNLIGHT_CACHE`` wins; else the system's own place for caches is used.
    """
    chosen = os.environ.get("SIGNLIGHT_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        base = Path(local) if local else Path.home() / "AppData" / "Local"
        return base / "signlight" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "signlight"
    xdg = os.environ.get("XDG_CACHE_HOME")
    return (Path(xdg) if xdg else Path.home() / ".cache") / "signlight"
