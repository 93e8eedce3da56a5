"""The certificate that a page is served with by HTTPS."""

from __future__ import annotations

import ssl

from stream.errors import DisplayError
from stream.screens.options import PageOptions

__all__ = ["open_certificate"]


def open_certificate(options: PageOptions) -> ssl.SSLContext | None:
    """Return what the page is served with by HTTPS; None where it goes without.

    Raises:
        DisplayError: A file is missing, or the two do not belong together.
    """
    if options.cert is None or options.key is None:
        return None
    for path in (options.cert, options.key):
        if not path.is_file():
            raise DisplayError(f"there is no file {path} for HTTPS; check the path")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        # A key with a password would ask for it on the terminal.
        context.load_cert_chain(options.cert, options.key, password=_refuse_password)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        raise DisplayError(
            f"{options.cert} and {options.key} do not make HTTPS ({reason}); give a certificate "
            "and its own private key as PEM, without a password"
        ) from error
    return context


def _refuse_password() -> str:
    raise ValueError("the key has a password")
