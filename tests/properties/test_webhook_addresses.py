"""Webhooks reach public addresses only, whatever form an address is written in."""

from __future__ import annotations

from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from consumers.webhooks.addresses import (
    Address,
    Network,
    is_allowed,
    is_public,
    is_trusted,
    networks_of,
)

# The registries' special ranges and some machines that nobody outside may reach.
SPECIAL = (
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
    *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16"),
    *("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
    *("169.254.169.254/32", "168.63.129.16/32", "100.100.100.200/32", "192.0.0.192/32"),
    *("::/128", "::1/128", "::/96", "64:ff9b:1::/48", "100::/64", "2001::/32", "2001:db8::/32"),
    *("2001:2::/48", "3fff::/20", "5f00::/16", "fc00::/7", "fd00:ec2::254/128", "fe80::/10"),
    *("fec0::/10", "ff00::/8"),
)
# What we refuse although Python counts it as global: abolished relays, a metadata service, and
# blocks of protocol assignments that no endpoint is in.
STRICTER = tuple(
    map(ip_network, ("192.88.99.0/24", "168.63.129.16/32", "192.0.0.0/24", "2001::/23"))
)
PUBLIC = ("8.8.8.8", "1.1.1.1", "52.95.110.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111")


def inside(network: Network) -> st.SearchStrategy[Address]:
    """Any address of a network."""
    first, last = int(network.network_address), int(network.broadcast_address)
    kind = IPv4Address if network.version == 4 else IPv6Address
    return st.integers(first, last).map(kind)


def disguises(address: IPv4Address) -> list[IPv6Address]:
    """The IPv6 addresses that reach an IPv4 one: mapped, translated by NAT64, tunnelled by 6to4."""
    number = int(address)
    return [
        IPv6Address(0xFFFF << 32 | number),
        IPv6Address(int(IPv6Address("64:ff9b::")) | number),
        IPv6Address(0x2002 << 112 | number << 80 | 1),
    ]


IPV4 = st.integers(0, 2**32 - 1).map(IPv4Address)
IPV6 = st.integers(0, 2**128 - 1).map(IPv6Address) | inside(IPv6Network("2000::/3"))


@pytest.mark.parametrize("special", SPECIAL)
@given(data=st.data())
def test_no_address_of_a_special_range_is_public(special: str, data: st.DataObject) -> None:
    """First, last and any other address of each range is refused, and so are its disguises."""
    network = ip_network(special)
    drawn = data.draw(inside(network))
    for address in (network.network_address, network.broadcast_address, drawn):
        assert not is_public(address)
        if isinstance(address, IPv4Address):
            assert not any(map(is_public, disguises(address)))


@given(IPV4 | IPV6)
@example(IPv4Address("172.15.255.255"))
@example(IPv4Address("172.32.0.0"))
@example(IPv6Address("2001:200::"))
def test_what_python_calls_special_is_refused_and_the_rest_is_not(address: Address) -> None:
    """Two lists that were made apart agree, but for what ours refuses by its comments."""
    meant: Address = address
    if isinstance(address, IPv6Address):
        meant = address.ipv4_mapped or address.sixtofour or address
    special = (
        not meant.is_global
        or meant.is_multicast
        or meant.is_reserved
        or meant.is_loopback
        or meant.is_link_local
        or meant.is_unspecified
    )
    if special:
        assert not is_public(address) or address in IPv6Network("64:ff9b::/96")
    elif not any(meant in network for network in STRICTER):
        assert is_public(address) == (meant.version == 4 or meant in IPv6Network("2000::/3"))


@given(IPV4)
def test_a_disguise_is_judged_as_what_it_hides(address: IPv4Address) -> None:
    """Mapped, NAT64 and 6to4 forms are public exactly if the IPv4 address in them is."""
    assert {is_public(disguise) for disguise in disguises(address)} == {is_public(address)}


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_are_allowed(text: str) -> None:
    """The rule is not simply no."""
    assert is_allowed(ip_address(text))


@given(st.data())
def test_a_trusted_network_lets_in_its_own_addresses_and_no_others(data: st.DataObject) -> None:
    """Inside: allowed in any form. Outside: as without it."""
    network = IPv4Network(data.draw(st.sampled_from(["10.1.0.0/16", "127.0.0.0/8"])))
    address = data.draw(IPV4 | inside(network))
    for form in (address, *disguises(IPv4Address(address))):
        assert is_trusted(form, [network]) == (address in network)
        assert is_allowed(form, [network]) == (address in network or is_public(form))


def test_networks_are_read_from_a_list() -> None:
    """Comma-separated CIDR blocks of both versions; blank is none; a typo is not ignored."""
    assert networks_of("") == networks_of(" , ") == ()
    assert networks_of("10.0.0.1/8, fd00::/8") == (
        IPv4Network("10.0.0.0/8"),
        IPv6Network("fd00::/8"),
    )
    for wrong in ("10.0.0.0/33", "10.0.0.256/8", "localhost", "10.0.0.0/8;127.0.0.0/8"):
        with pytest.raises(ValueError, match=r"\S"):
            networks_of(wrong)
