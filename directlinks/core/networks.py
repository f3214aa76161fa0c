"""Who is one client, as far as an address tells."""

import ipaddress
import re

# Some proxies write the port behind it, and an IPv6 address in brackets then.
_WITH_PORT = re.compile(r"\[(?P<v6>[^]]+)\](?::\d+)?|(?P<v4>[\d.]+):\d+")


def network_of(address: str) -> str:
    """What stands for the client at ``address``, which may be anything, with or without a port.

    A client with one IPv6 address has all of its /64. An IPv4 address that came over a socket for
    both is that IPv4 address (RFC 4291, section 2.5.5.2).
    """
    if with_port := _WITH_PORT.fullmatch(address):
        address = with_port["v6"] or with_port["v4"]
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((address.partition("%")[0], 64), strict=False))
