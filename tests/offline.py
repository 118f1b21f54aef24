"""A machine without a network."""

import socket

import pytest


def cut_network(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Let every connection fail at once, and return the list of those that will have been tried."""
    tried: list[object] = []

    def refuse(_socket: object, address: object) -> None:
        tried.append(address)
        raise ConnectionRefusedError(111, "Connection refused")

    def resolve(host: object, *_: object, **__: object) -> None:
        tried.append(host)
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return tried
