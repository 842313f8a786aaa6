from __future__ import annotations

import threading

import pytest

from cli.errors import NotDoneError
from cli.system.listen_socket import listen, url_of


def test_port_0_takes_a_free_one_and_its_url_names_it() -> None:
    with listen("127.0.0.1", 0) as listen_socket:
        port = listen_socket.getsockname()[1]
        assert url_of(listen_socket) == f"http://127.0.0.1:{port}"


def test_an_address_for_everybody_is_reached_by_loopback() -> None:
    with listen("0.0.0.0", 0) as listen_socket:  # noqa: S104 - to be reached by loopback
        assert url_of(listen_socket).startswith("http://127.0.0.1:")


def test_a_taken_port_is_told_with_the_way_out() -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(NotDoneError, match=rf"Port {port} of 127\.0\.0\.1 is taken: .* --port"):
            listen("127.0.0.1", port)


def test_a_port_that_its_last_holder_is_about_to_leave_is_waited_for() -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        leaves = threading.Timer(0.5, first.close)
        leaves.start()
        with listen("127.0.0.1", port) as second:
            assert second.getsockname()[1] == port
        leaves.join()


def test_an_address_that_is_not_ours_is_told() -> None:
    with pytest.raises(NotDoneError, match=r"192\.0\.2\.1 port 0 cannot be listened at"):
        listen("192.0.2.1", 0)
