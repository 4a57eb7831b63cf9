"""The families of IPv6 frames that forge.py sends."""

from scapy.layers.dhcp6 import (
    DHCP6_Advertise,
    DHCP6_Reconf,
    DHCP6_Reply,
    DHCP6_Request,
    DHCP6_Solicit,
    DHCP6OptDNSServers,
    DHCP6OptIA_NA,
    DHCP6OptIAAddress,
)
from scapy.layers.inet import GRE, IP, TCP, UDP
from scapy.layers.inet6 import (
    ICMPv6DestUnreach,
    ICMPv6EchoReply,
    ICMPv6EchoRequest,
    ICMPv6MLReport2,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6ND_RA,
    ICMPv6ND_Redirect,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptMTU,
    ICMPv6NDOptPrefixInfo,
    ICMPv6NDOptRDNSS,
    ICMPv6NDOptSrcLLAddr,
    ICMPv6PacketTooBig,
    ICMPv6ParamProblem,
    ICMPv6TimeExceeded,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
    Jumbo,
    RouterAlert,
    fragment6,
)
from scapy.layers.l2 import Ether
from scapy.packet import Raw

MARK = Raw(b"FORGED" * 4)
FLAGS = ("S", "A", "SA", "R", "RA", "F", "FA", "PA", "", "FPU", "SF", "SR", "SRAFPU")
PORTS = (7000, 5432, 22, 53, 80, 443)
ALL_NODES = "33:33:00:00:00:01"
ROUTER = "fe80::1"
GROUPS = ("ff02::1", "ff02::2", "ff02::fb", "ff05::2", "ff0e::1")
# Sources that nobody has, or somebody else: none, the local machine, links, groups, Linkway's own ranges, others.
STRANGE = ("::1", "fe80::bad", ROUTER, "ff02::1", "fd00:ec2::253", "fd00:ec2::254", "fd6c:7700::1", "fd6c:7700::ac10:2",
           "2001:db8::bad", "64:ff9b::a00:a", "2002:a00:a::1")


class Families6:
    """Of whoever has `mac`, `router`, `victim_mac`, `ip6`, `victim6`, `friend6`, `nobody6` (of the same subnet) and
    `ports6`; and `ip`, `victim`, IPv4 addresses."""

    def transports6(self, chance):
        """Something for the victim, by each protocol that gets anywhere."""
        for port in PORTS:
            yield TCP(sport=chance.randrange(1024, 65536), dport=port, flags="S", seq=chance.getrandbits(32))
            yield UDP(sport=chance.randrange(1024, 65536), dport=port)
        yield ICMPv6EchoRequest(id=chance.getrandbits(16))
        yield ICMPv6EchoReply(id=chance.getrandbits(16))

    def mapped(self):
        """IPv4's addresses as IPv6's."""
        return [f"::ffff:{address}" for address in (self.ip, self.victim, "10.0.0.30", "10.0.0.1", "127.0.0.1")]

    def sources6(self, chance):
        """From addresses that are not the sender's."""
        for source in (self.victim6, self.friend6, self.nobody6, "::", *STRANGE, *self.mapped()):
            for transport in self.transports6(chance):
                yield self.own / IPv6(src=source, dst=self.victim6) / transport / MARK

    def destinations6(self, chance):
        """As itself, to groups, to links, to other ranges, to IPv4's; and straight to others' MACs."""
        addresses = (*GROUPS, "fe80::1", "fe80::2", "::1", "::", self.nobody6, "2001:db8::1", "fd6c:7700::1",
                     "fd6c:7700::ac10:2", "fd6c:7700::f000:1", "64:ff9b::a00:a", "2002:a00:a::1", *self.mapped())
        for address in (self.victim6, *addresses):
            for mac in (self.router, self.victim_mac, ALL_NODES):
                for transport in self.transports6(chance):
                    packet = IPv6(src=self.ip6, dst=address) / transport / MARK
                    yield Ether(src=self.mac, dst=mac) / packet

    def honest6(self, chance):
        """As itself, where nothing lets it: ports, segments of no connection, kinds of ICMPv6, protocols."""
        to_victim = self.own / IPv6(src=self.ip6, dst=self.victim6)
        inner = bytes(IPv6(src=self.victim6, dst=self.friend6) / TCP(sport=40000, dport=7000))
        for port in PORTS:
            for flags in FLAGS:
                yield to_victim / TCP(sport=4001, dport=port, flags=flags, seq=chance.getrandbits(32)) / MARK
        for kind in (*range(0, 6), 100, 127, *range(128, 135), *range(137, 162), 200, 255):
            yield to_victim / Raw(bytes([kind, 0, 0, 0, 0, 0, 0, 0])) / Raw(inner) / MARK
        for number in (1, 2, 4, 6, 17, 41, 47, 50, 51, 59, 89, 103, 112, 132, 135, 136, 139, 140, 253, 255):
            yield self.own / IPv6(src=self.ip6, dst=self.victim6, nh=number) / Raw(bytes(2)) / MARK

    def injected6(self, chance):
        """Into connections that are there: as either end, and as who says that a packet got nowhere."""
        errors = (ICMPv6DestUnreach(code=1), ICMPv6DestUnreach(code=4), ICMPv6PacketTooBig(mtu=1280),
                  ICMPv6TimeExceeded(), ICMPv6ParamProblem())
        for port in self.ports6:
            ends = ((self.victim6, 7000, self.friend6, port), (self.friend6, port, self.victim6, 7000))
            for source, sport, destination, dport in ends:
                for error in errors:
                    inner = IPv6(src=source, dst=destination) / TCP(sport=sport, dport=dport, seq=chance.getrandbits(32))
                    for teller in (self.ip6, self.friend6, self.victim6, ROUTER):
                        yield self.own / IPv6(src=teller, dst=source) / error / Raw(bytes(inner)) / MARK
                for flags in FLAGS:
                    segment = TCP(sport=sport, dport=dport, flags=flags, seq=chance.getrandbits(32),
                                  ack=chance.getrandbits(32), window=65535)
                    yield self.own / IPv6(src=source, dst=destination) / segment / MARK

    def nd6(self, chance):
        """To be a neighbour that there is, or its router: whose address is whose, and which way is shorter."""
        own_mac, own_source = ICMPv6NDOptDstLLAddr(lladdr=self.mac), ICMPv6NDOptSrcLLAddr(lladdr=self.mac)
        prefix = ICMPv6NDOptPrefixInfo(prefixlen=64, L=1, A=1, prefix="2001:db8::")
        announced = (prefix, ICMPv6NDOptMTU(mtu=1280), ICMPv6NDOptRDNSS(dns=[self.ip6]))
        neighbours = (self.victim6, self.friend6, ROUTER, self.nobody6)
        for source in (self.ip6, *neighbours, "fe80::bad", "::"):
            for mac in (self.victim_mac, self.router, ALL_NODES):
                for to in (self.victim6, "ff02::1"):
                    packet = Ether(src=self.mac, dst=mac) / IPv6(src=source, dst=to, hlim=255)
                    for target in neighbours:
                        for flags in ({"S": 0, "O": 1}, {"S": 1, "O": 1}, {"S": 1, "O": 0, "R": 1}):
                            yield packet / ICMPv6ND_NA(tgt=target, **flags) / own_mac
                        yield packet / ICMPv6ND_Redirect(tgt=self.ip6, dst=target) / own_mac
                    for life in (0, 9000):
                        yield packet / ICMPv6ND_RA(routerlifetime=life, prf=1) / own_source / announced[0]
                        yield packet / ICMPv6ND_RA(routerlifetime=life) / announced[1] / announced[2]
                    yield packet / ICMPv6MLReport2() / MARK
                    # Whoever asks as another would be believed to be where it asks from.
                    if source in (self.victim6, self.friend6, self.nobody6):
                        yield packet / ICMPv6ND_NS(tgt=self.victim6) / own_source
                    yield Ether(src=self.victim_mac, dst=mac) / packet.payload / ICMPv6ND_NS(tgt=self.friend6) / own_source
                    yield packet / ICMPv6ND_NS(tgt=self.ip6)
        for hops in (0, 1, 64, 254):
            asked = IPv6(src=self.ip6, dst="ff02::1", hlim=hops) / ICMPv6ND_NS(tgt=self.victim6) / own_source
            yield Ether(src=self.mac, dst=ALL_NODES) / asked

    def dhcp6(self, chance):
        """A server of its own, and a client that asks for others' addresses."""
        address = DHCP6OptIA_NA(ianaopts=[DHCP6OptIAAddress(addr=self.victim6)])
        names = DHCP6OptDNSServers(dnsservers=[self.ip6])
        for message in (DHCP6_Solicit(), DHCP6_Advertise(), DHCP6_Request(), DHCP6_Reply(), DHCP6_Reconf()):
            for source in (self.ip6, "fe80::bad", ROUTER):
                for to in ("ff02::1:2", "ff05::1:3", self.victim6):
                    for sport, dport in ((546, 547), (547, 546)):
                        packet = IPv6(src=source, dst=to) / UDP(sport=sport, dport=dport) / message / address / names
                        yield Ether(src=self.mac, dst=ALL_NODES) / packet / MARK

    def extensions6(self, chance):
        """Headers before the transport's: of all kinds, in wrong places, too many, too long; and lengths that lie."""
        to_victim = self.own / IPv6(src=self.ip6, dst=self.victim6)
        hops, options = IPv6ExtHdrHopByHop, IPv6ExtHdrDestOpt
        route = [IPv6ExtHdrRouting(type=kind, addresses=[self.victim6, self.friend6]) for kind in (0, 2, 3, 4)]
        chains = [hops(), options(), hops() / options(), options() / hops(), hops() / hops(), *route,
                  hops(options=[RouterAlert()]), hops(options=[Jumbo(jumboplen=1 << 17)]), hops() / route[0],
                  options() / route[0] / options(), options() / options() / options() / options(),
                  options() / options() / options() / options() / options(), IPv6ExtHdrFragment(),
                  hops() / IPv6ExtHdrFragment() / options(), IPv6ExtHdrFragment() / IPv6ExtHdrFragment()]
        for chain in chains:
            for transport in self.transports6(chance):
                yield to_victim / chain / transport / MARK
        for kind in (0, 43, 44, 50, 51, 59, 60, 135, 139, 140):
            for length in (0, 1, 31, 255):
                header = bytes([6, length]) + bytes(6)
                yield self.own / IPv6(src=self.ip6, dst=self.victim6, nh=kind) / Raw(header) / MARK
        for wrong in ({"plen": 0}, {"plen": 1}, {"plen": 19}, {"plen": 65535}, {"version": 0}, {"version": 4}):
            for transport in self.transports6(chance):
                yield self.own / IPv6(src=self.ip6, dst=self.victim6, **wrong) / transport / MARK
        for length in range(0, 62):
            yield Raw(bytes(to_victim / TCP(sport=4005, dport=7000, flags="S"))[: 14 + length])

    def fragments6(self, chance):
        """Whole ones, tiny ones, overlapping ones, and pieces of nothing."""
        for transport in self.transports6(chance):
            header = IPv6(src=self.ip6, dst=self.victim6)
            whole = header / IPv6ExtHdrFragment(id=chance.getrandbits(32)) / transport / Raw(bytes(MARK) * 80)
            for piece in fragment6(whole, 400):
                yield self.own / piece
            for offset in (0, 1, 2, 185, 8191):
                for more in (0, 1):
                    piece = IPv6ExtHdrFragment(offset=offset, m=more, id=chance.getrandbits(32))
                    yield self.own / header / piece / transport / MARK
            for length in (0, 1, 7, 8, 16):
                piece = IPv6ExtHdrFragment(m=1, id=chance.getrandbits(32), nh=6)
                yield self.own / header / piece / Raw(bytes(transport)[:length])

    def inside6(self, chance):
        """Packets in packets: IPv6 in IPv4, IPv4 in IPv6."""
        wrapped = IPv6(src=self.friend6, dst=self.victim6) / UDP(sport=4004, dport=7000) / MARK
        yield self.own / IP(src=self.ip, dst=self.victim) / wrapped
        to_victim = self.own / IPv6(src=self.ip6, dst=self.victim6)
        yield to_victim / wrapped
        yield to_victim / GRE() / wrapped
        yield to_victim / IP(src="10.0.0.30", dst=self.victim) / UDP(sport=4004, dport=7000) / MARK
