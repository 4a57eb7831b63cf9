"""Sends forged frames from a workload's device, whatever its kernel would have sent, as a root inside may.

forge.py: reads a line of JSON, the world: `mac` and `ip`, the sender's own; `victim`, `friend`, `endpoint`, `resolver`,
`stranger`: addresses; `router`, `victim_mac`: MACs; `ports`, those of connections from the friend to the victim; and
of IPv6 what forge6.py names. Then reads a family's name, a seed and a number a line, sends the family (of `mutations`
and `noise` so many frames), and prints how many frames were sent. Every frame bears the mark that capture.py looks for,
if it has room for it.
"""

import json
import random
import socket
import sys

from scapy.config import conf
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.inet import GRE, ICMP, IP, TCP, UDP, IPOption, fragment
from scapy.layers.inet6 import (
    ICMPv6EchoRequest,
    ICMPv6MLReport2,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6ND_RA,
    ICMPv6ND_Redirect,
    ICMPv6ND_RS,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptPrefixInfo,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
)
from scapy.layers.l2 import ARP, LLC, STP, Dot1AD, Dot1Q, Dot3, Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import Raw

from forge6 import FLAGS, MARK, PORTS, Families6

BROADCAST = "ff:ff:ff:ff:ff:ff"
STRANGE_MACS = ("02:00:00:00:00:01", "00:00:00:00:00:00", BROADCAST, "01:00:5e:00:00:01", "33:33:00:00:00:01")
# Sources that nobody has, or somebody else: of the local machine, of links, of groups, of Linkway's own ranges.
STRANGE_SOURCES = ("0.0.0.0", "127.0.0.1", "169.254.169.254", "169.254.169.253", "224.0.0.1", "255.255.255.255",
                   "172.16.0.2", "172.16.0.3", "10.0.0.1", "240.0.0.1", "100.64.0.1", "192.0.2.1")
LONGEST = 1500


class Forger(Families6):
    """The families of frames, each a generator of its frames."""

    def __init__(self, world):
        self.__dict__.update(world)
        self.own = Ether(src=self.mac, dst=self.router)
        # The last but one stands in the same subnet of another VPC; the last, where nothing is.
        self.others = (self.victim, self.friend, self.endpoint, self.resolver, self.stranger, "10.0.0.200")

    def transports(self, chance):
        """Something for the victim, by each protocol that gets anywhere."""
        for port in PORTS:
            yield TCP(sport=chance.randrange(1024, 65536), dport=port, flags="S", seq=chance.getrandbits(32))
            yield UDP(sport=chance.randrange(1024, 65536), dport=port)
        yield ICMP(type=8, id=chance.getrandbits(16))
        yield ICMP(type=0, id=chance.getrandbits(16))

    def sources(self, chance):
        """From addresses that are not the sender's."""
        for source in (*self.others, *STRANGE_SOURCES):
            for transport in self.transports(chance):
                yield self.own / IP(src=source, dst=self.victim) / transport / MARK

    def injected(self, chance):
        """Into connections that are there: as either of their ends, and as who says that a packet got nowhere."""
        for port in self.ports:
            for kind, code in ((3, 1), (3, 3), (3, 4), (4, 0), (5, 1), (11, 0), (12, 0)):
                said = ((self.victim, 7000, self.friend, port), (self.friend, port, self.victim, 7000))
                for source, sport, destination, dport in said:
                    inner = IP(src=source, dst=destination) / TCP(sport=sport, dport=dport, seq=chance.getrandbits(32))
                    for teller in (self.ip, self.friend, self.victim, self.router_ip()):
                        packet = IP(src=teller, dst=source) / ICMP(type=kind, code=code, nexthopmtu=576)
                        yield self.own / packet / Raw(bytes(inner)) / MARK
            for flags in FLAGS:
                ends = ((self.friend, port, self.victim, 7000), (self.victim, 7000, self.friend, port))
                for source, sport, destination, dport in ends:
                    segment = TCP(sport=sport, dport=dport, flags=flags, seq=chance.getrandbits(32),
                                  ack=chance.getrandbits(32), window=65535)
                    yield self.own / IP(src=source, dst=destination) / segment / MARK

    def macs(self, chance):
        """From and to MACs of others; the frame's content is right."""
        packet = IP(src=self.ip, dst=self.victim) / UDP(sport=4000, dport=7000) / MARK
        for source in (*STRANGE_MACS, self.victim_mac, self.router):
            for destination in (self.router, self.victim_mac, *STRANGE_MACS):
                yield Ether(src=source, dst=destination) / packet

    def straight(self, chance):
        """As itself, straight to MACs of others, and to what more than one listens to."""
        for mac in (self.victim_mac, *STRANGE_MACS):
            for address in (self.victim, "255.255.255.255", "10.0.0.255", "224.0.0.1", "224.0.0.251"):
                for transport in self.transports(chance):
                    yield Ether(src=self.mac, dst=mac) / IP(src=self.ip, dst=address) / transport / MARK

    def honest(self, chance):
        """As itself, where nothing lets it: ports, segments of no connection, kinds of ICMP, protocols."""
        to_victim = self.own / IP(src=self.ip, dst=self.victim)
        for port in PORTS:
            for flags in FLAGS:
                yield to_victim / TCP(sport=4001, dport=port, flags=flags, seq=chance.getrandbits(32)) / MARK
            yield to_victim / UDP(sport=4001, dport=port) / MARK
        for kind in range(0, 43):
            # An error has the packet in it that it is about: one of the victim's.
            inner = IP(src=self.victim, dst=self.endpoint) / TCP(sport=40000, dport=7000)
            for code in (0, 1, 4):
                yield to_victim / ICMP(type=kind, code=code) / Raw(bytes(inner)) / MARK
        for protocol in (0, 2, 4, 41, 47, 50, 51, 88, 89, 103, 112, 132, 136, 253, 255):
            yield self.own / IP(src=self.ip, dst=self.victim, proto=protocol) / MARK

    def vlan(self, chance):
        """In tags, of all sorts and depths."""
        packet = IP(src=self.ip, dst=self.victim) / UDP(sport=4002, dport=7000) / MARK
        for number in (0, 1, 2, 100, 4095):
            for priority in (0, 7):
                yield self.own / Dot1Q(vlan=number, prio=priority) / packet
                yield self.own / Dot1AD(vlan=number, prio=priority) / packet
                yield self.own / Dot1AD(vlan=number) / Dot1Q(vlan=number) / packet
                yield self.own / Dot1Q(vlan=number) / Dot1Q(vlan=0) / packet
            yield self.own / Dot1Q(vlan=number) / ARP(op=2, hwsrc=self.mac, psrc=self.friend, pdst=self.victim)

    def arp(self, chance):
        """Whose address is whose: what poisons tables elsewhere."""
        for address in (*self.others, "10.0.0.1"):
            for sender in (self.mac, self.router, self.victim_mac, BROADCAST):
                for to in (BROADCAST, self.victim_mac):
                    claim = {"hwsrc": sender, "psrc": address, "hwdst": self.victim_mac}
                    yield Ether(src=self.mac, dst=to) / ARP(op=2, pdst=self.victim, **claim) / MARK
                    yield Ether(src=self.mac, dst=to) / ARP(op=1, pdst=address, **claim) / MARK
                    yield Ether(src=sender, dst=to) / ARP(op=1, pdst=self.victim, **claim) / MARK
        for operation in (0, 3, 4, 8, 9, 65535):
            yield self.own / ARP(op=operation, hwsrc=self.mac, psrc=self.ip, pdst=self.victim) / MARK
        for wrong in ({"hwtype": 6}, {"ptype": 0x86DD}, {"hwlen": 8}, {"plen": 16}):
            yield self.own / ARP(op=1, hwsrc=self.mac, psrc=self.ip, pdst=self.victim, **wrong) / MARK
        yield Ether(src=self.mac, dst=BROADCAST, type=0x8035) / ARP(op=3, hwsrc=self.mac) / MARK

    def nd(self, chance):
        """IPv6's own ways to be somebody, and somebody's router."""
        groups = ("33:33:00:00:00:01", "33:33:00:00:00:02", BROADCAST, self.victim_mac, self.router)
        prefix = ICMPv6NDOptPrefixInfo(prefixlen=64, L=1, A=1, prefix="2001:db8::")
        own = ICMPv6NDOptSrcLLAddr(lladdr=self.mac)
        for source in ("fe80::bad", "fe80::1", "::", "2001:db8::bad", "ff02::1"):
            for mac in groups:
                for target in ("ff02::1", "ff02::2", "fe80::1", "2001:db8::1"):
                    packet = Ether(src=self.mac, dst=mac) / IPv6(src=source, dst=target, hlim=255)
                    yield packet / ICMPv6ND_RA(routerlifetime=9000) / own / prefix / MARK
                    yield packet / ICMPv6ND_NA(tgt="fe80::1", R=1, S=0, O=1) / ICMPv6NDOptDstLLAddr(lladdr=self.mac)
                    yield packet / ICMPv6ND_NA(tgt="fe80::1", R=1, S=1, O=1) / MARK
                    yield packet / ICMPv6ND_RS() / own / MARK
                    yield packet / ICMPv6ND_Redirect(tgt="fe80::bad", dst="2001:db8::2") / MARK
                    yield packet / ICMPv6MLReport2() / MARK
                    for extension in (IPv6ExtHdrHopByHop(), IPv6ExtHdrDestOpt(), IPv6ExtHdrFragment(m=1),
                                      IPv6ExtHdrRouting(addresses=["fe80::2"])):
                        yield packet / extension / ICMPv6ND_RA(routerlifetime=9000) / own / MARK
                    # As another than the frame's own sender.
                    yield Ether(src=self.router, dst=mac) / packet.payload / ICMPv6ND_NS(tgt="fe80::1") / own / MARK
                    yield packet / ICMPv6EchoRequest() / MARK
                    yield packet / TCP(sport=4003, dport=7000, flags="S") / MARK

    def dhcp(self, chance):
        """A server of its own, and a client that asks for others' addresses."""
        for kind in ("discover", "offer", "request", "ack", "nak", "inform", "force_renew"):
            for source in (self.ip, "0.0.0.0", self.router_ip()):
                for to in ("255.255.255.255", self.victim):
                    for sport, dport in ((67, 68), (68, 67)):
                        message = BOOTP(op=2 if sport == 67 else 1, yiaddr=self.victim, siaddr=self.ip) / DHCP(
                            options=[("message-type", kind), ("router", self.ip), ("name_server", self.ip), "end"]
                        )
                        packet = IP(src=source, dst=to) / UDP(sport=sport, dport=dport) / message / MARK
                        yield Ether(src=self.mac, dst=BROADCAST) / packet

    def router_ip(self):
        """The subnet's router."""
        return "10.0.0.1"

    def options(self, chance):
        """IPv4 options, and lengths that are not so."""
        victim = bytes(map(int, self.victim.split(".")))
        routes = [bytes([kind, 7, 4]) + victim for kind in (7, 131, 137)]
        others = [b"\x94\x04\x00\x00", b"\x44\x0c\x05\x00" + bytes(8), b"\x82\x0b" + bytes(9), b"\x86\xff", b"\x01" * 40]
        for option in (*routes, *others):
            for transport in self.transports(chance):
                yield self.own / IP(src=self.ip, dst=self.victim, options=IPOption(option)) / transport / MARK
        for wrong in ({"ihl": 0}, {"ihl": 4}, {"ihl": 15}, {"len": 0}, {"len": 19}, {"len": 20}, {"len": 65535},
                      {"version": 0}, {"version": 6}, {"version": 15}):
            for transport in self.transports(chance):
                yield self.own / IP(src=self.ip, dst=self.victim, **wrong) / transport / MARK
        for wrong in (TCP(dport=7000, dataofs=0, flags="S"), TCP(dport=7000, dataofs=15, flags="S"),
                      UDP(dport=7000, len=0), UDP(dport=7000, len=7), UDP(dport=7000, len=65535)):
            yield self.own / IP(src=self.ip, dst=self.victim) / wrong / MARK

    def fragments(self, chance):
        """Whole ones, tiny ones, overlapping ones, and pieces of nothing."""
        for transport in self.transports(chance):
            whole = IP(src=self.ip, dst=self.victim, id=chance.getrandbits(16)) / transport / Raw(bytes(MARK) * 40)
            for size in (8, 16, 64, 400):
                for piece in fragment(whole, fragsize=size)[:8]:
                    yield self.own / piece
            for offset in (0, 1, 2, 185, 8189):
                yield self.own / IP(src=self.ip, dst=self.victim, flags="MF", frag=offset) / transport / MARK

    def types(self, chance):
        """Other protocols than IP's."""
        for number in (0x0000, 0x0600, 0x0842, 0x22F0, 0x6003, 0x8035, 0x8137, 0x8204, 0x8847, 0x8848, 0x8863, 0x8864,
                       0x888E, 0x88A4, 0x88CC, 0x88E5, 0x88F7, 0x8902, 0x8906, 0x893A, 0x9000, 0xFFFF):
            for mac in (self.victim_mac, BROADCAST, "01:80:c2:00:00:0e"):
                yield Ether(src=self.mac, dst=mac, type=number) / MARK
        yield Dot3(src=self.mac, dst="01:80:c2:00:00:00") / LLC(dsap=0x42, ssap=0x42, ctrl=3) / STP() / MARK

    def inside(self, chance):
        """To Linkway's own ranges, to another VPC, and packed into other packets."""
        for address in ("172.16.0.1", "172.16.0.2", "172.16.0.3", "10.0.0.0", "10.255.0.1", "240.0.0.1", "240.0.0.9",
                        "100.64.0.0", "100.64.0.1", "127.0.0.1", "0.0.0.0", "192.0.2.1", self.stranger):
            for transport in self.transports(chance):
                yield self.own / IP(src=self.ip, dst=address) / transport / MARK
        wrapped = IP(src=self.friend, dst=self.victim) / UDP(sport=4004, dport=7000) / MARK
        to_victim = self.own / IP(src=self.ip, dst=self.victim)
        yield to_victim / wrapped
        yield to_victim / GRE() / wrapped
        yield to_victim / IPv6(src="fe80::bad", dst="fe80::1") / MARK
        yield to_victim / UDP(sport=4004, dport=4789) / VXLAN(vni=1) / Ether(src=self.mac, dst=self.victim_mac) / wrapped

    def designed(self, chance):
        """All of the above."""
        for family in (self.sources, self.injected, self.macs, self.straight, self.honest, self.vlan, self.arp, self.nd,
                       self.dhcp, self.options, self.fragments, self.types, self.inside, self.sources6,
                       self.destinations6, self.honest6, self.injected6, self.nd6, self.dhcp6, self.extensions6,
                       self.fragments6, self.inside6):
            yield from family(chance)

    def mutations(self, chance, count):
        """Some of all of these, with a few bytes of their headers changed, cut or added."""
        frames = [bytes(frame) for frame in self.designed(chance)]
        for _ in range(count):
            frame = bytearray(chance.choice(frames))
            for _ in range(chance.randrange(1, 5)):
                frame[chance.randrange(12, min(len(frame), 74))] = chance.choice((0, 255, chance.getrandbits(8)))
            if chance.random() < 0.2:
                del frame[chance.randrange(14, len(frame) + 1):]
            yield bytes(frame)

    def noise(self, chance, count):
        """Bytes, behind a header that says IPv4, ARP, IPv6 or anything."""
        for _ in range(count):
            kind = chance.choice((0x0800, 0x0800, 0x0806, 0x86DD, chance.getrandbits(16)))
            start = bytes(Ether(src=self.mac, dst=chance.choice((self.router, self.victim_mac)), type=kind))
            yield start + chance.randbytes(chance.randrange(0, 200)) + bytes(MARK)


def main():
    conf.verb = 0
    forger = Forger(json.loads(sys.stdin.readline()))
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as device:
        device.bind(("eth0", 0))
        print("ready", flush=True)
        for line in sys.stdin:
            family, seed, number = line.split()
            count = [int(number)] if family in ("mutations", "noise") else []
            frames = list(map(bytes, getattr(forger, family)(random.Random(int(seed)), *count)))
            for frame in frames:
                device.send(frame[:LONGEST])
            print(len(frames), flush=True)


main()
