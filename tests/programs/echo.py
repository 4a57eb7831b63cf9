"""Echoes what it is sent, by TCP and UDP, on one port, by IPv4 and IPv6. TCP connections are greeted with the peer's address."""

import asyncio
import os
import sys


class Udp(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, peer):
        self.transport.sendto(data, peer)


async def tcp(reader, writer):
    writer.write(f"{os.environ.get('ECHO_NAME', 'echo')} {writer.get_extra_info('peername')[0]}\n".encode())
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def main(port):
    server = await asyncio.start_server(tcp, None, port)
    # One socket takes datagrams of both families.
    await asyncio.get_running_loop().create_datagram_endpoint(Udp, local_addr=("::", port))
    await server.serve_forever()


asyncio.run(main(int(sys.argv[1])))
