"""What of a URL is accepted, and why the rest is not."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.webhooks.urls import (
    URL_LENGTH_MAX,
    RefusedUrlError,
    Target,
    refusal_of,
    target_of,
)
from ledger.contracts import reasons
from ledger.contracts.reasons import Reason

PUBLIC, PRIVATE = ip_address("93.184.216.34"), ip_address("10.1.2.3")
TRUSTED = (ip_network("10.1.0.0/16"),)


@pytest.mark.parametrize(
    ("url", "target", "authority"),
    [
        ("https://a.example", Target("https", "a.example", 443, "/"), "a.example"),
        ("https://A.example:443/X?y=Z", Target("https", "a.example", 443, "/X?y=Z"), "a.example"),
        ("https://a.example:8443/", Target("https", "a.example", 8443, "/"), "a.example:8443"),
        ("http://a.example/?", Target("http", "a.example", 80, "/"), "a.example"),
        ("https://[2606:4700::1]/", Target("https", "2606:4700::1", 443, "/"), "[2606:4700::1]"),
        ("https://1.2.3.4/a%20b", Target("https", "1.2.3.4", 443, "/a%20b"), "1.2.3.4"),
    ],
)
def test_a_url_is_scheme_host_port_and_path(url: str, target: Target, authority: str) -> None:
    """The parts that a request is made of, the host in lower case, ports made explicit."""
    assert target_of(url) == target
    assert target_of(url).authority == authority


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", reasons.WEBHOOK_INVALID),
        ("https://", reasons.WEBHOOK_INVALID),
        ("https:///path", reasons.WEBHOOK_INVALID),
        ("https://a.example/ b", reasons.WEBHOOK_INVALID),
        ("https://a.example/\r\nX: y", reasons.WEBHOOK_INVALID),
        ("https://bücher.example/", reasons.WEBHOOK_INVALID),
        ("https://a.example/#part", reasons.WEBHOOK_INVALID),
        ("https://a.example:22/", reasons.WEBHOOK_INVALID),
        ("https://a.example:80/", reasons.WEBHOOK_INVALID),
        ("https://a.example:0/", reasons.WEBHOOK_INVALID),
        ("https://a.example:99999/", reasons.WEBHOOK_INVALID),
        ("https://a.example:x/", reasons.WEBHOOK_INVALID),
        ("https://[::1/", reasons.WEBHOOK_INVALID),
        ("https://[fe80::1%25eth0]/", reasons.WEBHOOK_INVALID),
        ("https://a_b!.example/", reasons.WEBHOOK_INVALID),
        ("https://a.example/" + "x" * URL_LENGTH_MAX, reasons.WEBHOOK_INVALID),
        ("https://user@a.example/", reasons.WEBHOOK_URL_CREDENTIALS),
        ("https://user:password@a.example/", reasons.WEBHOOK_URL_CREDENTIALS),
        ("https://public.example\\@10.0.0.1/", reasons.WEBHOOK_URL_CREDENTIALS),
        ("ftp://a.example/", reasons.WEBHOOK_URL_INSECURE),
        ("file:///etc/passwd", reasons.WEBHOOK_URL_INSECURE),
        ("a.example/hooks", reasons.WEBHOOK_URL_INSECURE),
    ],
)
def test_what_is_not_acceptable_says_why(url: str, reason: Reason) -> None:
    """Each with its reason, and without the URL in the error's text."""
    with pytest.raises(RefusedUrlError) as raised:
        target_of(url)
    assert raised.value.reason is reason
    assert str(raised.value) == reason.code


@given(st.text() | st.text().map("https://a.example/".__add__))
def test_any_text_is_a_target_or_refused(text: str) -> None:
    """Nothing else is raised, and a target has nothing that could end a line of a request."""
    try:
        target = target_of(text)
    except RefusedUrlError:
        return
    assert target.path.isascii()
    assert target.path.isprintable()
    assert " " not in target.path + target.host
    assert target.path.startswith("/")


@pytest.mark.parametrize(
    ("scheme", "addresses", "refusal"),
    [
        ("https", [PUBLIC], None),
        ("https", [PRIVATE], None),
        ("https", [PUBLIC, PRIVATE], None),
        ("https", [], None),
        ("http", [PRIVATE], None),
        ("http", [PUBLIC], reasons.WEBHOOK_URL_INSECURE),
        ("http", [PRIVATE, PUBLIC], reasons.WEBHOOK_URL_INSECURE),
        ("http", [], reasons.WEBHOOK_URL_INSECURE),
        ("https", [ip_address("10.2.0.1")], reasons.WEBHOOK_ADDRESS_REFUSED),
        ("http", [ip_address("10.2.0.1")], reasons.WEBHOOK_ADDRESS_REFUSED),
        ("https", [PUBLIC, ip_address("10.2.0.1")], reasons.WEBHOOK_ADDRESS_REFUSED),
    ],
)
def test_https_goes_out_and_http_stays_inside(
    scheme: str, addresses: list[object], refusal: Reason | None
) -> None:
    """Every address counts; plain http needs all of them to be in a trusted network."""
    target = target_of(f"{scheme}://a.example/")
    assert refusal_of(target, addresses, lambda: TRUSTED) is refusal  # type: ignore[arg-type]
