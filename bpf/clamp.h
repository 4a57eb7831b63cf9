/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An endpoint has an MTU of 8500 and takes no part in path MTU discovery: instead, the maximum segment size that
 * both ends announce in their SYN is lowered to what fits (AWS, "Access an AWS service using an interface VPC
 * endpoint": packets have up to 8500 bytes, and MSS clamping is applied to TCP).
 *
 * Options are walked with a bound: a header has 40 bytes of them. Where they make no sense the walk ends, as it
 * does at their receiver. A SYN without the option means 536 (RFC 9293, 3.7.1), and needs none. Receivers go by
 * the last one if there are several: so each is lowered.
 */
#ifndef LINKWAY_CLAMP_H
#define LINKWAY_CLAMP_H

#include "parse.h"

#define ENDPOINT_MTU 8500
#define MAX_OPTIONS 40 /* of one byte each */

#define OPTION_END 0
#define OPTION_NOTHING 1
#define OPTION_MSS 2

struct option_walk {
	struct __sk_buff *skb;
	__u32 transport; /* offset of the TCP header */
	__u32 at;        /* of the next option, from there */
	__u32 end;       /* of the header, from there */
	__u32 limit;
};

/* Lowers the size at this offset in the TCP header. */
static __always_inline void lower(const struct option_walk *walk, __u32 at)
{
	__u32 checksum = walk->transport + __builtin_offsetof(struct tcphdr, check);
	__be16 before, after = bpf_htons(walk->limit);

	if (bpf_skb_load_bytes(walk->skb, walk->transport + at, &before, sizeof(before)) ||
	    bpf_ntohs(before) <= walk->limit ||
	    bpf_skb_store_bytes(walk->skb, walk->transport + at, &after, sizeof(after), 0))
		return;
	/* At an odd offset its two bytes are of two words of the sum. */
	if (at & 1)
		bpf_l4_csum_replace(walk->skb, checksum, __builtin_bswap16(before), __builtin_bswap16(after), 2);
	else
		bpf_l4_csum_replace(walk->skb, checksum, before, after, 2);
}

/* For bpf_loop: 1 ends it. */
static long clamp_option(__u32 index __attribute__((unused)), struct option_walk *walk)
{
	__u8 kind, length;

	if (walk->at >= walk->end || bpf_skb_load_bytes(walk->skb, walk->transport + walk->at, &kind, 1) ||
	    kind == OPTION_END)
		return 1;
	if (kind == OPTION_NOTHING) {
		walk->at++;
		return 0;
	}
	if (bpf_skb_load_bytes(walk->skb, walk->transport + walk->at + 1, &length, 1) || length < 2 ||
	    walk->at + length > walk->end)
		return 1;
	if (kind == OPTION_MSS && length == 4)
		lower(walk, walk->at + 2);
	walk->at += length;
	return 0;
}

/* Of a SYN through an endpoint, whose header `parse` has found whole. */
static __noinline int clamp_segment_size(struct __sk_buff *skb, const struct packet *p)
{
	struct option_walk walk = {
		.skb = skb,
		.transport = p->transport,
		.at = sizeof(struct tcphdr),
		.limit = ENDPOINT_MTU - sizeof(struct tcphdr) -
			 (p->ipv6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr)),
	};
	__u8 offset;

	if (bpf_skb_load_bytes(skb, p->transport + TCP_OFFSET_BYTE, &offset, 1))
		return DROP_MALFORMED;
	walk.end = (offset >> 4) * 4;
	bpf_loop(MAX_OPTIONS, clamp_option, &walk, 0);
	return DROP_NONE;
}

#endif
