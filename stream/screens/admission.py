"""Who may see the page: who knows its token, under a name that it has, from its own origin."""

from __future__ import annotations

import hmac
import secrets
import socket
from ipaddress import ip_address
from urllib.parse import urlsplit

__all__ = ["Admission"]

_TOKEN_BYTES = 24
"""192 random bits: nobody guesses them."""


class Admission:
    """Tells requests that come from the person's own browser from all others.

    Another page in the same browser can send requests here, and by letting its own name lead here
    (DNS rebinding) even read the answers. It knows no token; and its name stands in ``Host``, its
    address in ``Origin``.

    Args:
        host: Address that is served on.

    Attributes:
        token: What the address of the page carries; new in each run.
        is_local: Whether only this machine can reach what is served.
    """

    def __init__(self, host: str) -> None:
        self.token = secrets.token_urlsafe(_TOKEN_BYTES)
        name = socket.gethostname().lower()
        self._names = {"localhost", host.lower()}
        self.is_local = _is_loopback(host)
        if not self.is_local:
            self._names |= {name, f"{name}.local"}

    def knows(self, token: str | None) -> bool:
        """Return whether this is the token, in a time that tells nothing of it."""
        return token is not None and hmac.compare_digest(token.encode(), self.token.encode())

    def is_ours(self, host: str) -> bool:
        """Return whether a ``Host`` header names this machine: rebinding needs another name."""
        name = _hostname(f"//{host}")
        if name is None:
            return False
        if name in self._names:
            return True
        try:
            address = ip_address(name)
        except ValueError:
            return False
        return address.is_loopback or not self.is_local

    def is_same_origin(self, origin: str | None, host: str) -> bool:
        """Return whether an ``Origin`` header is that of the page itself."""
        if not origin or _hostname(origin) is None:
            return False
        return urlsplit(origin).netloc.lower() == host.lower()


def _hostname(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:  # brackets without an address in them
        return None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
