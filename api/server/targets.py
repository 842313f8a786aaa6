"""What a request is for, the target and the host: written in one way only, so that nobody reads another.

A proxy in front that lets paths through by their beginning must see the path that we see.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv6Address
from typing import Final

# What hosts are called: letters, digits, dots and hyphens, and the underscore that container networks use.
_HOST: Final = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?")
_PORT_MAX: Final = 65_535
# The absolute form of a target (RFC 9112, 3.2.2), which is for proxies and which every server must take.
_ABSOLUTE: Final = re.compile(r"https?://([^/?]*)(.*)", re.IGNORECASE)
# What may be in a path (RFC 3986, 3.3).
_PATH: Final = re.compile(r"(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*)+")
_ENCODED: Final = re.compile(r"%([0-9A-Fa-f]{2})")
# Encoded, they are what they are unencoded (2.3), or what one reader takes for a slash and another does not.
_NEEDLESS: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/\\")
_FIRST_PRINTABLE: Final = 0x21
_DELETE: Final = 0x7F


def is_host(text: str) -> bool:
    """Whether it is a name or an address, with a port that there is or none."""
    found = _HOST.fullmatch(text)
    if found is None:
        return False
    host, port = found.groups()
    return (port is None or 0 < int(port) <= _PORT_MAX) and (host[0] != "[" or _is_ipv6(host[1:-1]))


def is_plain_target(method: str, target: str) -> bool:
    """Whether a request's target is of a form that the method may have, and can be read in one way only."""
    if any(letter == "#" or ord(letter) < _FIRST_PRINTABLE or ord(letter) == _DELETE for letter in target):
        return False
    if method == "CONNECT":
        return is_host(target)
    if method == "OPTIONS" and target == "*":
        return True
    if absolute := _ABSOLUTE.fullmatch(target):
        if not is_host(absolute[1]):
            return False
        target = absolute[2]
        if not target.startswith("/"):  # none is the root (RFC 9112, 3.2.1)
            target = f"/{target}"
    return _is_plain_path(target.partition("?")[0])


def _is_plain_path(path: str) -> bool:
    if not _PATH.fullmatch(path) or "//" in path:
        return False
    if any(segment in (".", "..") for segment in path.split("/")):
        return False
    codes = (int(code, 16) for code in _ENCODED.findall(path))
    return not any(code < _FIRST_PRINTABLE - 1 or code == _DELETE or code in _NEEDLESS for code in codes)


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return True
