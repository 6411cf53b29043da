"""Responses read from bytes that arrive in any pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gochat_aws.http_connection import BrokenConnectionError, Response, parse_response

bodies = st.binary(max_size=300)
RESPONSES = {
    "length": lambda body: b"HTTP/1.1 200 OK\r\nX-Id: 1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body),
    "chunks": lambda body: (
        b"HTTP/1.1 410 Gone\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"".join(b"%x;ext=1\r\n%s\r\n" % (len(body[at : at + 7]), body[at : at + 7]) for at in range(0, len(body), 7))
        + b"0\r\n\r\n"
    ),
    "continued": lambda body: (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 429 Slow\r\ncontent-length:%d\r\n\r\n%s" % (len(body), body)
    ),
}


@given(kind=st.sampled_from(sorted(RESPONSES)), body=bodies)
def test_a_response_is_whole_exactly_when_its_last_byte_has_come(kind: str, body: bytes) -> None:
    data = RESPONSES[kind](body)

    assert all(parse_response(data[:length]) is None for length in range(len(data)))
    response = parse_response(data)
    assert response is not None
    assert (response.body, response.keep) == (body, True)


def test_a_response_without_a_body_needs_no_length() -> None:
    assert parse_response(b"HTTP/1.1 204 No Content\r\nX: 1\r\n\r\n") == Response(204, b"", True)


def test_trailers_after_chunks_are_passed_over() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX-T: 1\r\n"

    assert parse_response(head) is None
    assert parse_response(head + b"\r\n") == Response(200, b"ab", True)


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nab",
    ],
)
def test_a_connection_that_is_to_be_closed_is_not_kept(data: bytes) -> None:
    assert parse_response(data) == Response(200, b"ab", False)


def test_without_length_or_chunks_the_body_ends_with_the_connection() -> None:
    data = b"HTTP/1.1 200 OK\r\n\r\nab"

    assert parse_response(data) is None
    assert parse_response(data, ended=True) == Response(200, b"ab", False)


@pytest.mark.parametrize("data", [b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/2 200\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n"])
def test_what_is_not_http_breaks_the_connection(data: bytes) -> None:
    with pytest.raises(BrokenConnectionError):
        parse_response(data)


def test_a_chunk_without_a_size_breaks_the_connection() -> None:
    with pytest.raises(BrokenConnectionError):
        parse_response(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab")
