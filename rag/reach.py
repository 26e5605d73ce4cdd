"""Where the URL of a language model's server leads: this machine, the user's own network, or elsewhere.

Citable's promise is that nothing leaves the machine. Whoever names a server has decided otherwise; how far what is sent
goes is told here. Knows names and addresses, sends nothing but the look-up of a name.
"""

import ipaddress
import socket
from collections.abc import Callable
from enum import StrEnum
from urllib.parse import urlsplit

from rag.errors import UsageError


class Reach(StrEnum):
    """How far a server is."""

    HERE = "on this machine"
    NETWORK = "in your own network"
    OUTSIDE = "elsewhere"


def _addresses(host: str) -> list[str]:
    return [str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]


def check_url(url: str) -> str:
    """The URL without a slash at its end. Raises UsageError if it is none that a server can have."""
    try:
        parts = urlsplit(url)
        is_server = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        # A bracket of an IPv6 address is missing, or the port is no number.
        is_server = False
    if not is_server or parts.query or parts.fragment:
        raise UsageError(f"setting 'llm': {url!r} is no server. Write it like http://127.0.0.1:8080/v1")
    if parts.username or parts.password:
        raise UsageError(
            "setting 'llm': a URL with a user name or password ends up in logs. Leave them out and put the server's "
            "key into the environment variable CITABLE_LLM_API_KEY."
        )
    return url.rstrip("/")


def reach(url: str, addresses: Callable[[str], list[str]] = _addresses) -> Reach:
    """How far the server of `url` is: for a name as far as the farthest of its addresses, elsewhere if it has none."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return Reach.HERE
    try:
        found = [ipaddress.ip_address(host)]
    except ValueError:
        try:
            found = [ipaddress.ip_address(address.partition("%")[0]) for address in addresses(host)]
        except OSError:
            found = []
    if not found or any(address.is_global or address.is_multicast for address in found):
        return Reach.OUTSIDE
    return Reach.HERE if all(address.is_loopback for address in found) else Reach.NETWORK


def sent_to(url: str, where: Reach) -> str:
    """What is sent where, as one sentence; empty for a server on this machine."""
    host = urlsplit(url).hostname or url
    if where is Reach.HERE:
        return ""
    if where is Reach.NETWORK:
        return f"Questions and the sentences that they are answered from go to {host}, in your own network."
    plain = " unencrypted" if urlsplit(url).scheme == "http" else ""
    return (
        f"Careful: {host} is outside your own network. Every question, and the sentences of your papers that it is "
        f"answered from, are sent there{plain}."
    )
