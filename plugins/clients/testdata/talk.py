"""The package websockets of Python."""

import asyncio
import os

import websockets

URL = os.environ["URL"]

MESSAGES = [
    "", "hello", "Grüße, 世界 😀", "x" * 125, "x" * 126, "y" * 65535, "z" * 65536, "0123456789abcdef" * (1 << 16),
    b"", b"\x00\xff\xfe", b"\xa5" * (1 << 20),
]


async def talk(**options):
    async with websockets.connect(URL, subprotocols=["chat"], max_size=None, **options) as ws:
        assert await ws.recv() == "Hello!"
        for message in MESSAGES:
            await ws.send(message)
            got = await ws.recv()
            assert got == message, f"message of {len(message)} came back otherwise"

        await ws.send(iter(["frag", "ment", ""]))
        assert await ws.recv() == "fragment"

        pong = await ws.ping("are you there?")
        await asyncio.wait_for(pong, 10)

        await ws.close(4321, "done")
        assert ws.close_code == 4321, ws.close_code


async def many():
    """Sessions that do not get each other's messages."""

    async def one(n):
        async with websockets.connect(URL) as ws:
            await ws.recv()
            for i in range(50):
                await ws.send(f"client {n}, message {i}")
                assert await ws.recv() == f"client {n}, message {i}"

    await asyncio.gather(*(one(n) for n in range(20)))


async def refused():
    try:
        async with websockets.connect(URL + "/elsewhere"):
            raise AssertionError("a session on a path that nobody serves")
    except websockets.InvalidStatusCode as err:
        assert err.status_code == 404, err.status_code


async def main():
    await talk()
    await talk(compression=None)
    await many()
    await refused()


asyncio.run(asyncio.wait_for(main(), 60))
