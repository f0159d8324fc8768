"""A supervisor of another version as far as its predecessor sees it: speaks the succession's words as they are recorded.

    heir.py stranger    speaks another protocol, and waits to be told to go
    heir.py newer       has more to say than anybody knows today, takes over and answers every request with its version
"""

import json
import os
import select
import signal
import socket
import sys

GREETING = b"hostler succession 1\n"


def main(manner):
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    channel = socket.socket(fileno=0)
    message, fds, _, _ = socket.recv_fds(channel, 1 << 17, 253)
    assert message.startswith(GREETING), message
    estate = json.loads(message[len(GREETING):])["estate"]
    if manner == "stranger":
        channel.send(b"hostler succession 2\n" + json.dumps({"ready": estate["generation"]}).encode())
        assert channel.recv(1 << 17) == b""
        return
    for word in [
        {"weather": {"is": "fine"}},
        {"extend": {"ms": 1000, "because": "it rains"}},
        {"ready": {"version": "9.9.9", "generation": estate["generation"], "workers": 1, "mood": "good"}},
    ]:
        channel.send(GREETING + json.dumps(word).encode())
    word = json.loads(channel.recv(1 << 17)[len(GREETING):])
    assert "reign" in word, word
    left = zip(estate["sockets"], fds)
    [listener] = [socket.socket(fileno=fd) for one, fd in left if one["purpose"] == "listen"]
    serve(listener)


def serve(listener):
    """Until the parent has gone; SIGTERM is the usual end."""
    parent = os.getppid()
    while os.getppid() == parent:
        if not select.select([listener], [], [], 1)[0]:
            continue
        # The predecessor's workers may be faster.
        listener.setblocking(False)
        try:
            client, _ = listener.accept()
        except BlockingIOError:
            continue
        client.setblocking(True)
        answer(client)


def answer(client):
    head = b""
    while b"\r\n\r\n" not in head:
        piece = client.recv(1 << 16)
        if not piece:
            break
        head += piece
    else:
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n9.9.9")
    client.close()


main(*sys.argv[1:])
