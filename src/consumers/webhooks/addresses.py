"""Which addresses a webhook may be sent to: public ones, and those inside networks we trust.

The list is ours and not Python's `ipaddress.is_global`, whose meaning differs between releases.
Sources: the IANA IPv4 and IPv6 Special-Purpose Address Registries, and where cloud providers
serve credentials to machines.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_REFUSED_V4: Final = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network; 0.0.0.0 reaches the machine itself
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT; Alibaba's metadata service
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # Azure's metadata service, on an address that is public otherwise
        "169.254.0.0/16",  # link-local; the metadata services of AWS, Azure and Google
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments; Oracle's metadata service
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays, abolished
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
#: All that IANA has given out for unicast. Whatever lies outside is loopback, link-local, private
#: (fd00:ec2::254 is AWS's metadata service), multicast, reserved, or an IPv4 address in disguise.
_UNICAST_V6: Final = IPv6Network("2000::/3")
_REFUSED_V6: Final = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments, Teredo tunnels among them
        "2001:db8::/32",  # documentation
        "3fff::/20",  # documentation
    )
)
_NAT64: Final = IPv6Network("64:ff9b::/96")


def is_allowed(address: Address, trusted: Iterable[Network] = ()) -> bool:
    """Whether a webhook may be sent to `address`: it is public, or inside a trusted network."""
    return is_trusted(address, trusted) or is_public(address)


def is_trusted(address: Address, trusted: Iterable[Network]) -> bool:
    """Whether `address` is inside one of the networks, in whichever form it is written."""
    meant = _meant(address)
    return any(meant in network for network in trusted)


def is_public(address: Address) -> bool:
    """Whether `address` is of a machine on the internet, and cannot be one of our own network's."""
    meant = _meant(address)
    if isinstance(meant, IPv4Address):
        return not any(meant in network for network in _REFUSED_V4)
    return meant in _UNICAST_V6 and not any(meant in network for network in _REFUSED_V6)


def networks_of(text: str) -> tuple[Network, ...]:
    """The networks in a comma-separated list of CIDR blocks; none for blank text.

    Bits set beyond a prefix are ignored, as AWS does. Raises ValueError for what is no block.
    """
    return tuple(ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())


def _meant(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one that routers or the kernel translate, else `address`."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address
