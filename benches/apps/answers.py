"""Large answers: `/bytes-SIZE` in one piece that is there already, `/chunks-SIZE` from a generator of 16 KiB.

The length is declared in both cases: whoever streams a file knows it, and no server has to choose how to end the body.
"""

PIECE = b"x" * (16 * 1024)
SIZES = {"100k": 100 * 1024, "10m": 10 * 1024 * 1024}
BODIES = {name: b"x" * size for name, size in SIZES.items()}


def application(environ, start_response):
    kind, _, size = environ["PATH_INFO"].lstrip("/").partition("-")
    start_response("200 OK", [("Content-Type", "application/octet-stream"), ("Content-Length", str(SIZES[size]))])
    return [BODIES[size]] if kind == "bytes" else chunks(SIZES[size])


def chunks(left):
    while left > 0:
        yield PIECE[:left]
        left -= len(PIECE)
