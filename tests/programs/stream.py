"""Keeps connections to an echo server busy, and compares every byte that comes back.

stream.py HOST PORT CONNECTIONS: runs until its standard input is closed; a line there asks how far it is, and is
answered with the number of bytes that every connection has had back. Ends with status 1, and says why, as soon as one
byte differs or one connection breaks.
"""

import asyncio
import os
import random
import sys

# What is in flight at any time, a connection.
WINDOW = 1 << 18


class Broken(Exception):
    pass


class Stream:
    def __init__(self, number):
        self.number = number
        self.back = 0
        self.ahead = bytearray()

    async def run(self, host, port, stop):
        reader, writer = await asyncio.wait_for(asyncio.open_connection(host, port), 10)
        await reader.readline()
        source, expected = random.Random(self.number), random.Random(self.number)
        sent = 0

        async def send():
            nonlocal sent
            while not stop.is_set():
                if sent - self.back > WINDOW:
                    await asyncio.sleep(0.001)
                    continue
                block = source.randbytes(4096)
                writer.write(block)
                await writer.drain()
                sent += len(block)
                await asyncio.sleep(0.0005)
            writer.write_eof()

        sender = asyncio.create_task(send())
        while data := await reader.read(1 << 16):
            # The generator gives the same bytes only in the same portions.
            while len(self.ahead) < len(data):
                self.ahead += expected.randbytes(4096)
            if self.ahead[: len(data)] != data:
                raise Broken(f"connection {self.number}: other bytes came back after {self.back}")
            del self.ahead[: len(data)]
            self.back += len(data)
        await sender
        if self.back != sent:
            raise Broken(f"connection {self.number}: {sent} bytes sent, {self.back} came back")


async def main(host, port, count):
    stop = asyncio.Event()
    streams = [Stream(number) for number in range(count)]
    tasks = asyncio.gather(*(stream.run(host, port, stop) for stream in streams))
    asked = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(asked), os.fdopen(0, "rb"))

    async def answer():
        while await asked.readline():
            print(min(stream.back for stream in streams), flush=True)
        stop.set()

    answering = asyncio.create_task(answer())
    try:
        await tasks
    except (Broken, OSError, asyncio.TimeoutError) as error:
        print(f"broken: {error!r}", flush=True)
        answering.cancel()
        sys.exit(1)
    print(f"whole: {sum(stream.back for stream in streams)} bytes", flush=True)


asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
