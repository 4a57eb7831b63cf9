/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a frame to a flow's key.
 *
 * Every length is checked against what is really there, as the frame is whatever a workload chose to send.
 * Options of IPv4 are stepped over by the header's own length, and of IPv6's extension headers the two that hold
 * options, up to four of them. A routing header sends a packet elsewhere than it says (RFC 5095), so it is none
 * that passes. Of fragments only the first has a transport header: fragment.h. A frame may stand for many packets
 * (segmentation is left to the receiver's end): above 64 KiB its length is 0, as the kernel has it since 6.3.
 *
 * An IPv6 packet may not have IPv4's mapped addresses (RFC 4291, 2.5.5.2): in all tables they are IPv4's.
 *
 * An ICMP echo has one port, its identifier, on the side that asks: a request and an answer to it are each
 * other's reverse. What asks for a neighbour's MAC has no port, and neighbour.h answers it.
 *
 * An ICMP error is about another packet: error.h.
 *
 * Not handled: VLAN tags, other ICMP.
 */
#ifndef LINKWAY_PARSE_H
#define LINKWAY_PARSE_H

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>

#include "packet.h"

#define IP_MORE_FRAGMENTS 0x2000
#define IP_FRAGMENT_OFFSET 0x1fff

#define MAX_EXTENSIONS 4

/* From RFC 792, and from RFC 4443, which has packet too big and time exceeded between these two. */
#define ICMP_UNREACHABLE 3
#define ICMP_TIME_EXCEEDED 11
#define ICMP_PARAMETER_PROBLEM 12
#define ICMPV6_UNREACHABLE 1
#define ICMPV6_PARAMETER_PROBLEM 4

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10
#define TCP_OFFSET_BYTE 12
#define TCP_FLAGS_BYTE 13

/* From RFC 4861. */
#define NEIGHBOUR_SOLICITATION 135
#define NEIGHBOUR_ADVERTISEMENT 136

struct icmp_echo {
	__u8 type;
	__u8 code;
	__be16 checksum;
	__be16 id;
	__be16 sequence;
};

/* Makes the first `length` bytes readable in place. 0, or the frame is shorter. */
static __always_inline int linear(struct __sk_buff *skb, __u32 length)
{
	if ((void *)(long)skb->data + length <= (void *)(long)skb->data_end)
		return 0;
	return bpf_skb_pull_data(skb, length);
}

static __always_inline int is_arp(struct __sk_buff *skb)
{
	return skb->protocol == bpf_htons(ETH_P_ARP) && !skb->vlan_present;
}

/* Does this packet open a flow where there is none? */
static __always_inline int opens(const struct packet *p)
{
	if (p->is_error || p->fragment == FRAGMENT_LATER)
		return 0;
	switch (p->key.protocol) {
	case IPPROTO_TCP:
		return (p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN;
	case IPPROTO_UDP:
		return 1;
	default:
		return p->icmp_type == echo_request(p->key.protocol);
	}
}

static __always_inline int parse_tcp(struct packet *p, void *header, void *end)
{
	struct tcphdr *tcp = header;

	if ((void *)(tcp + 1) > end || p->left < sizeof(*tcp))
		return DROP_MALFORMED;
	if (tcp->doff < 5 || tcp->doff * 4U > p->left)
		return DROP_MALFORMED;
	p->key.source_port = tcp->source;
	p->key.destination_port = tcp->dest;
	p->tcp_flags = ((__u8 *)tcp)[TCP_FLAGS_BYTE];
	return DROP_NONE;
}

static __always_inline int parse_udp(struct packet *p, void *header, void *end)
{
	struct udphdr *udp = header;

	if ((void *)(udp + 1) > end || p->left < sizeof(*udp))
		return DROP_MALFORMED;
	/* Of a first fragment more is to come. */
	if (bpf_ntohs(udp->len) < sizeof(*udp) || (bpf_ntohs(udp->len) > p->left) != (p->fragment == FRAGMENT_FIRST))
		return DROP_MALFORMED;
	p->key.source_port = udp->source;
	p->key.destination_port = udp->dest;
	return DROP_NONE;
}

/* Does it say what became of another packet? */
static __always_inline int is_icmp_error(__u8 protocol, __u8 type)
{
	if (protocol == IPPROTO_ICMP)
		return type == ICMP_UNREACHABLE || type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETER_PROBLEM;
	return type >= ICMPV6_UNREACHABLE && type <= ICMPV6_PARAMETER_PROBLEM;
}

static __always_inline int parse_icmp(struct packet *p, void *header, void *end)
{
	struct icmp_echo *icmp = header;

	if ((void *)(icmp + 1) > end || p->left < sizeof(*icmp))
		return DROP_MALFORMED;
	p->icmp_type = icmp->type;
	p->is_error = is_icmp_error(p->key.protocol, icmp->type);
	if (p->is_error)
		return p->fragment ? DROP_UNSUPPORTED_PROTOCOL : DROP_NONE;
	if (icmp->code)
		return DROP_UNSUPPORTED_PROTOCOL;
	if (icmp->type == echo_request(p->key.protocol))
		p->key.source_port = icmp->id;
	else if (icmp->type == echo_reply(p->key.protocol))
		p->key.destination_port = icmp->id;
	else if (p->key.protocol != IPPROTO_ICMPV6 || icmp->type != NEIGHBOUR_SOLICITATION || p->fragment)
		return DROP_UNSUPPORTED_PROTOCOL;
	return DROP_NONE;
}

/*
 * Notes where in its datagram a fragment belongs. 0: nowhere. All but the last have whole units of 8 bytes (RFC 791),
 * and the datagram has to fit into 64 KiB.
 */
static __always_inline int is_fragment(struct packet *p, __u32 offset, int more)
{
	p->fragment = offset ? FRAGMENT_LATER : FRAGMENT_FIRST;
	p->fragment_offset = offset;
	return (!more || (p->left && p->left % 8 == 0)) && offset * 8 + p->left <= 0xffff;
}

static __always_inline int parse_ipv4(struct __sk_buff *skb, struct packet *p)
{
	struct ethhdr *eth = (void *)(long)skb->data;
	struct iphdr *ip = (void *)(eth + 1);
	__u32 length, header;

	if ((void *)(ip + 1) > (void *)(long)skb->data_end)
		return DROP_MALFORMED;
	header = ip->ihl * 4;
	length = bpf_ntohs(ip->tot_len);
	if (!length && skb->gso_size)
		length = skb->len - sizeof(*eth);
	if (ip->version != 4 || header < sizeof(*ip) || length < header || length > skb->len - sizeof(*eth))
		return DROP_MALFORMED;
	mapped(&p->key.source, ip->saddr);
	mapped(&p->key.destination, ip->daddr);
	p->key.protocol = ip->protocol;
	p->transport = sizeof(*eth) + header;
	p->left = length - header;
	if (ip->frag_off & bpf_htons(IP_MORE_FRAGMENTS | IP_FRAGMENT_OFFSET)) {
		p->fragment_id = bpf_htonl(bpf_ntohs(ip->id));
		if (!is_fragment(p, bpf_ntohs(ip->frag_off) & IP_FRAGMENT_OFFSET,
				 ip->frag_off & bpf_htons(IP_MORE_FRAGMENTS)))
			return DROP_MALFORMED;
	}
	return p->key.protocol == IPPROTO_ICMPV6 ? DROP_UNSUPPORTED_PROTOCOL : DROP_NONE;
}

/* Steps over headers of options to what they stand before. */
static __noinline int skip_extensions(struct __sk_buff *skb, struct packet *p)
{
	struct {
		__u8 next;
		__u8 length; /* in units of 8 bytes, the first one not counted */
	} extension;
	int i;

	for (i = 0; i < MAX_EXTENSIONS; i++) {
		__u32 length;

		if (p->key.protocol != IPPROTO_DSTOPTS && (p->key.protocol != IPPROTO_HOPOPTS || i))
			return DROP_NONE;
		if (bpf_skb_load_bytes(skb, p->transport, &extension, sizeof(extension)))
			return DROP_MALFORMED;
		length = 8 * (extension.length + 1);
		if (length > p->left)
			return DROP_MALFORMED;
		p->left -= length;
		p->transport += length;
		if (p->transport >= MAX_TRANSPORT - 64)
			return DROP_UNSUPPORTED_PROTOCOL;
		p->key.protocol = extension.next;
	}
	return DROP_NONE;
}

struct fragment_header {
	__u8 next;
	__u8 reserved;
	__be16 offset; /* with three bits of flags, of which the last is more */
	__be32 id;
};

/* IPv6's fragments. One that is all of its datagram (RFC 6946) is none. */
static __noinline int parse_fragment_header(struct __sk_buff *skb, struct packet *p)
{
	struct fragment_header header;

	if (p->left < sizeof(header) || bpf_skb_load_bytes(skb, p->transport, &header, sizeof(header)))
		return DROP_MALFORMED;
	p->fragment_at = p->transport + __builtin_offsetof(struct fragment_header, id);
	p->fragment_id = header.id;
	p->key.protocol = header.next;
	p->transport += sizeof(header);
	p->left -= sizeof(header);
	if (!(header.offset & bpf_htons(0xfff9)))
		return DROP_NONE;
	return is_fragment(p, bpf_ntohs(header.offset) >> 3, header.offset & bpf_htons(1)) ? DROP_NONE
											  : DROP_MALFORMED;
}

static __always_inline int parse_ipv6(struct __sk_buff *skb, struct packet *p)
{
	struct ethhdr *eth = (void *)(long)skb->data;
	struct ipv6hdr *ip = (void *)(eth + 1);
	int reason;

	if (linear(skb, sizeof(*eth) + sizeof(*ip)))
		return DROP_MALFORMED;
	eth = (void *)(long)skb->data;
	ip = (void *)(eth + 1);
	if ((void *)(ip + 1) > (void *)(long)skb->data_end)
		return DROP_MALFORMED;
	p->ipv6 = 1;
	p->transport = sizeof(*eth) + sizeof(*ip);
	p->left = bpf_ntohs(ip->payload_len);
	if (!p->left && skb->gso_size)
		p->left = skb->len - p->transport;
	if (ip->version != 6 || p->left > skb->len - p->transport)
		return DROP_MALFORMED;
	__builtin_memcpy(&p->key.source, &ip->saddr, sizeof(p->key.source));
	__builtin_memcpy(&p->key.destination, &ip->daddr, sizeof(p->key.destination));
	if (is_ipv4(&p->key.source) || is_ipv4(&p->key.destination))
		return DROP_MALFORMED;
	p->key.protocol = ip->nexthdr;
	if (p->key.protocol == IPPROTO_DSTOPTS || p->key.protocol == IPPROTO_HOPOPTS) {
		reason = skip_extensions(skb, p);
		if (reason)
			return reason;
	}
	if (p->key.protocol == IPPROTO_FRAGMENT) {
		reason = parse_fragment_header(skb, p);
		if (reason)
			return reason;
	}
	return p->key.protocol == IPPROTO_ICMP ? DROP_UNSUPPORTED_PROTOCOL : DROP_NONE;
}

static __always_inline int parse_transport(struct __sk_buff *skb, struct packet *p)
{
	__u32 wanted = p->transport + (p->left < 20 ? p->left : 20);
	void *header, *end;

	/* The header, 20 bytes at most, may still lie outside of the linear part. */
	if (linear(skb, wanted))
		return DROP_MALFORMED;
	header = (void *)(long)skb->data + (p->transport & (MAX_TRANSPORT - 1));
	end = (void *)(long)skb->data_end;
	switch (p->key.protocol) {
	case IPPROTO_TCP:
		return parse_tcp(p, header, end);
	case IPPROTO_UDP:
		return parse_udp(p, header, end);
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return parse_icmp(p, header, end);
	default:
		return DROP_UNSUPPORTED_PROTOCOL;
	}
}

/* Fills in the key, but for the VPC, and what goes with it. */
static __always_inline int parse(struct __sk_buff *skb, struct packet *p)
{
	int is_ip = skb->protocol == bpf_htons(ETH_P_IP) || skb->protocol == bpf_htons(ETH_P_IPV6);
	struct ethhdr *eth;
	int reason;

	if (skb->vlan_present)
		return DROP_UNSUPPORTED_PROTOCOL;
	if (linear(skb, sizeof(*eth) + sizeof(struct iphdr))) {
		/* Too short for IP; what else it may be is in the first 14 bytes. */
		return is_ip ? DROP_MALFORMED : DROP_UNSUPPORTED_PROTOCOL;
	}
	eth = (void *)(long)skb->data;
	if ((void *)(eth + 1) > (void *)(long)skb->data_end)
		return DROP_MALFORMED;
	if (eth->h_proto == bpf_htons(ETH_P_IP))
		reason = parse_ipv4(skb, p);
	else if (eth->h_proto == bpf_htons(ETH_P_IPV6))
		reason = parse_ipv6(skb, p);
	else
		return DROP_UNSUPPORTED_PROTOCOL;
	if (reason || p->fragment == FRAGMENT_LATER)
		return reason;
	return parse_transport(skb, p);
}

/* Does the sender send on what others have sent? It may where its source is not checked. */
static __always_inline int is_forwarded(const struct packet *p)
{
	return !(p->flags & INTERFACE_SOURCE_CHECK) && p->key.vpc != SERVICE_VPC &&
	       !is_place_of(p->key.vpc, &p->key.source, p->interface);
}

/* Is the frame from the MAC that the sender must have? */
static __always_inline int from_own_mac(struct __sk_buff *skb, const struct packet *p)
{
	struct ethhdr *eth = (void *)(long)skb->data;

	if ((void *)(eth + 1) > (void *)(long)skb->data_end)
		return 0;
	return same_mac(eth->h_source, p->mac);
}

#endif
