/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a frame to a flow's key.
 *
 * Every length is checked against what is really there, as the frame is whatever a workload chose to send.
 * Options of IPv4 are stepped over by the header's own length. Ports of a fragment cannot be known, so
 * fragments are dropped. A frame may stand for many packets (segmentation is left to the receiver's end):
 * above 64 KiB its IPv4 length is 0, as the kernel has it since 6.3.
 *
 * An ICMP echo has one port, its identifier, on the side that asks: a request and an answer to it are each
 * other's reverse.
 *
 * Not handled: VLAN tags, IPv6, ICMP other than echo.
 */
#ifndef LINKWAY_PARSE_H
#define LINKWAY_PARSE_H

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>

#include "packet.h"

#define IP_MORE_FRAGMENTS 0x2000
#define IP_FRAGMENT_OFFSET 0x1fff

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10
#define TCP_OFFSET_BYTE 12
#define TCP_FLAGS_BYTE 13

/* From linux/icmp.h, which drags in the C library. */
#define ICMP_ECHO 8
#define ICMP_ECHO_REPLY 0

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
	switch (p->key.protocol) {
	case IPPROTO_TCP:
		return (p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN;
	case IPPROTO_UDP:
		return 1;
	default:
		return p->icmp_type == ICMP_ECHO;
	}
}

static __always_inline int parse_tcp(struct packet *p, void *header, void *end, __u32 left)
{
	struct tcphdr *tcp = header;

	if ((void *)(tcp + 1) > end || left < sizeof(*tcp))
		return DROP_MALFORMED;
	if (tcp->doff < 5 || tcp->doff * 4U > left)
		return DROP_MALFORMED;
	p->key.source_port = tcp->source;
	p->key.destination_port = tcp->dest;
	p->tcp_flags = ((__u8 *)tcp)[TCP_FLAGS_BYTE];
	return DROP_NONE;
}

static __always_inline int parse_udp(struct packet *p, void *header, void *end, __u32 left)
{
	struct udphdr *udp = header;

	if ((void *)(udp + 1) > end || left < sizeof(*udp))
		return DROP_MALFORMED;
	if (bpf_ntohs(udp->len) < sizeof(*udp) || bpf_ntohs(udp->len) > left)
		return DROP_MALFORMED;
	p->key.source_port = udp->source;
	p->key.destination_port = udp->dest;
	return DROP_NONE;
}

static __always_inline int parse_icmp(struct packet *p, void *header, void *end, __u32 left)
{
	struct icmp_echo *icmp = header;

	if ((void *)(icmp + 1) > end || left < sizeof(*icmp))
		return DROP_MALFORMED;
	p->icmp_type = icmp->type;
	if (icmp->code)
		return DROP_UNSUPPORTED_PROTOCOL;
	switch (icmp->type) {
	case ICMP_ECHO:
		p->key.source_port = icmp->id;
		return DROP_NONE;
	case ICMP_ECHO_REPLY:
		p->key.destination_port = icmp->id;
		return DROP_NONE;
	default:
		return DROP_UNSUPPORTED_PROTOCOL;
	}
}

/* Fills in the key, but for the VPC, and what goes with it. */
static __always_inline int parse(struct __sk_buff *skb, struct packet *p)
{
	__u32 length, header, left;
	struct ethhdr *eth;
	struct iphdr *ip;
	void *data, *end;

	if (skb->vlan_present)
		return DROP_UNSUPPORTED_PROTOCOL;
	if (linear(skb, sizeof(*eth) + sizeof(*ip))) {
		/* Too short for IPv4; what else it may be is in the first 14 bytes. */
		return skb->protocol == bpf_htons(ETH_P_IP) ? DROP_MALFORMED : DROP_UNSUPPORTED_PROTOCOL;
	}
	eth = data = (void *)(long)skb->data;
	end = (void *)(long)skb->data_end;
	ip = (void *)(eth + 1);
	if ((void *)(ip + 1) > end)
		return DROP_MALFORMED;
	if (eth->h_proto != bpf_htons(ETH_P_IP))
		return DROP_UNSUPPORTED_PROTOCOL;

	header = ip->ihl * 4;
	length = bpf_ntohs(ip->tot_len);
	if (!length && skb->gso_size)
		length = skb->len - sizeof(*eth);
	if (ip->version != 4 || header < sizeof(*ip) || length < header || length > skb->len - sizeof(*eth))
		return DROP_MALFORMED;
	mapped(&p->key.source, ip->saddr);
	mapped(&p->key.destination, ip->daddr);
	p->key.protocol = ip->protocol;
	if (ip->frag_off & bpf_htons(IP_MORE_FRAGMENTS | IP_FRAGMENT_OFFSET))
		return DROP_FRAGMENT;
	p->transport = sizeof(*eth) + header;
	left = length - header;

	/* The transport's header, 20 bytes at most, may still lie outside of the linear part. */
	if (data + sizeof(*eth) + header + (left < 20 ? left : 20) > end) {
		if (linear(skb, sizeof(*eth) + header + (left < 20 ? left : 20)))
			return DROP_MALFORMED;
		data = (void *)(long)skb->data;
		end = (void *)(long)skb->data_end;
	}
	data += sizeof(*eth) + (header & 0x3c);
	switch (p->key.protocol) {
	case IPPROTO_TCP:
		return parse_tcp(p, data, end, left);
	case IPPROTO_UDP:
		return parse_udp(p, data, end, left);
	case IPPROTO_ICMP:
		return parse_icmp(p, data, end, left);
	default:
		return DROP_UNSUPPORTED_PROTOCOL;
	}
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
