/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns a packet into what its receiver is to see: MACs always, addresses and ports where they differ.
 *
 * Checksums are changed by the difference (RFC 1624). Where the sender left its checksum to the hardware,
 * the field holds the sum of the pseudo header only, so addresses and ports are told to the kernel apart:
 * it knows which of them the field contains. A UDP checksum of zero means none and stays so.
 *
 * The time to live is left alone, as in a VPC of AWS, whose router shows up in no traceroute. No loop can
 * come of it: a packet is delivered once, to an interface, and never routed again.
 *
 * Not handled: addresses inside of the payload (FTP and its like).
 */
#ifndef LINKWAY_NAT_H
#define LINKWAY_NAT_H

#include "parse.h"

static __always_inline __u32 folded(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	return sum;
}

/* What to add to a ones' complement sum when one word becomes another. */
static __always_inline __u64 difference(__u32 before, __u32 after)
{
	return (__u64)(__u32)~before + after;
}

static __always_inline __u16 changed_checksum(__u16 checksum, __u32 change)
{
	__u32 sum = (__u16)~checksum + (change & 0xffff) + (change >> 16);

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* The IP header gets its new addresses. What that adds to a sum that has them in it, in `*change`. */
static __always_inline int readdress4(struct __sk_buff *skb, const struct flow_key *peer, __u32 *change)
{
	struct iphdr *ip = (void *)(long)skb->data + sizeof(struct ethhdr);

	if ((void *)(ip + 1) > (void *)(long)skb->data_end)
		return DROP_MALFORMED;
	*change = folded(difference(ip->saddr, peer->destination.word[3]) +
			 difference(ip->daddr, peer->source.word[3]));
	ip->check = changed_checksum(ip->check, *change);
	ip->saddr = peer->destination.word[3];
	ip->daddr = peer->source.word[3];
	return DROP_NONE;
}

static __noinline int readdress6(struct __sk_buff *skb, const struct packet *p, const struct flow_key *peer,
				 __u32 *change)
{
	struct ipv6hdr *ip = (void *)(long)skb->data + sizeof(struct ethhdr);
	__u64 sum = 0;
	int i;

	if ((void *)(ip + 1) > (void *)(long)skb->data_end)
		return DROP_MALFORMED;
#pragma unroll
	for (i = 0; i < 4; i++) {
		sum += difference(p->key.source.word[i], peer->destination.word[i]);
		sum += difference(p->key.destination.word[i], peer->source.word[i]);
	}
	*change = folded(sum);
	__builtin_memcpy(&ip->saddr, &peer->destination, sizeof(ip->saddr));
	__builtin_memcpy(&ip->daddr, &peer->source, sizeof(ip->daddr));
	return DROP_NONE;
}

/* Every frame comes from the router, and goes to its receiver's MAC. */
static __always_inline int address_frame(struct __sk_buff *skb, const struct packet *p, const __u8 *mac)
{
	struct ethhdr *eth = (void *)(long)skb->data;

	if ((void *)(eth + 1) > (void *)(long)skb->data_end)
		return DROP_MALFORMED;
	__builtin_memcpy(eth->h_dest, mac, ETH_ALEN);
	__builtin_memcpy(eth->h_source, p->settings.router_mac, ETH_ALEN);
	return DROP_NONE;
}

/*
 * Gives an echo of IPv4 the identifier that it has on the other side: one of the uplink's, where two flows had the
 * same. It has one port only, so that the other is 0.
 */
static __always_inline int rewrite_echo(struct __sk_buff *skb, const struct packet *p, __be16 id)
{
	__be16 before = p->key.source_port | p->key.destination_port;
	__u32 at = p->transport & (MAX_TRANSPORT - 1);
	struct icmp_echo *icmp = (void *)(long)skb->data + at;

	if (id == before)
		return DROP_NONE;
	if ((void *)(icmp + 1) > (void *)(long)skb->data_end)
		return DROP_MALFORMED;
	icmp->id = id;
	icmp->checksum = changed_checksum(icmp->checksum, folded(difference(before, id)));
	return DROP_NONE;
}

/*
 * `peer` is the other direction of the packet's flow: this packet's new source is where answers go to, its
 * new destination where they come from.
 */
static __always_inline int rewrite(struct __sk_buff *skb, const struct packet *p, const struct flow_key *peer,
				   const __u8 *mac)
{
	__be16 source_port = peer->destination_port, destination_port = peer->source_port;
	__u32 addresses = 0, ports, at = p->transport & (MAX_TRANSPORT - 1);
	__be16 *transport;
	__u64 flags = 0;
	int reason = address_frame(skb, p, mac);

	if (reason)
		return reason;
	if (same_address(&p->key.source, &peer->destination) && same_address(&p->key.destination, &peer->source) &&
	    source_port == p->key.source_port && destination_port == p->key.destination_port)
		return DROP_NONE;

	reason = p->ipv6 ? readdress6(skb, p, peer, &addresses) : readdress4(skb, peer, &addresses);
	if (reason || p->fragment == FRAGMENT_LATER)
		return reason;
	if (p->key.protocol == IPPROTO_ICMP)
		return rewrite_echo(skb, p, source_port | destination_port);
	if (p->key.protocol == IPPROTO_ICMPV6)
		return bpf_l4_csum_replace(skb, at + __builtin_offsetof(struct icmp_echo, checksum), 0, addresses,
					   BPF_F_PSEUDO_HDR)
			       ? DROP_MALFORMED
			       : DROP_NONE;

	transport = (void *)(long)skb->data + at;
	if ((void *)(transport + 2) > (void *)(long)skb->data_end)
		return DROP_MALFORMED;
	transport[0] = source_port;
	transport[1] = destination_port;
	ports = folded(difference(p->key.source_port, source_port) +
		       difference(p->key.destination_port, destination_port));
	if (p->key.protocol == IPPROTO_UDP) {
		at += __builtin_offsetof(struct udphdr, check);
		flags = BPF_F_MARK_MANGLED_0;
	} else {
		at += __builtin_offsetof(struct tcphdr, check);
	}
	if (bpf_l4_csum_replace(skb, at, 0, addresses, flags | BPF_F_PSEUDO_HDR))
		return DROP_MALFORMED;
	if ((source_port != p->key.source_port || destination_port != p->key.destination_port) &&
	    bpf_l4_csum_replace(skb, at, 0, ports, flags))
		return DROP_MALFORMED;
	return DROP_NONE;
}

#endif
