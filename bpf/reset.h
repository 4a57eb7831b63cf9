/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers a refused TCP packet with RST, so that its sender fails at once and not by its own time-out: on
 * an endpoint's address, of the gateway in the service namespace, and for flows that have expired, as AWS does ("If
 * a client or a target sends data after the idle timeout period elapses, it receives a TCP RST packet").
 *
 * The segment is RFC 9293's for a connection that does not exist (3.10.7.1): with ACK set, the RST has the
 * acknowledged number as its own; else number 0, and it acknowledges what came. RST is never answered. The
 * frame is cut to its headers and turned round in place; where its checksum was left to the hardware it
 * still is, so the new one is told to the kernel as for a rewrite: pseudo header and header apart, over a
 * field of zero.
 *
 * Options of IPv4 become as many that do nothing: the kernel knows where it is to put the checksum, so the header
 * stays where it is. One answer a packet, so that no more goes out than came in.
 *
 * Not handled: fragments, and packets with extension headers of IPv6, which are just dropped.
 */
#ifndef LINKWAY_RESET_H
#define LINKWAY_RESET_H

#include "nat.h"

#define MAX_IPV4_OPTIONS 40 /* bytes */
#define IPV4_OPTION_NOTHING 1

/* Bytes between the IP header's fixed part and the TCP header. */
static __always_inline __u32 options_length(const struct packet *p)
{
	return p->transport - sizeof(struct ethhdr) - (p->ipv6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr));
}

static __always_inline int wants_reset(const struct packet *p)
{
	struct interface *there;
	struct place *place;

	if (p->reset == RESET_NEVER || p->is_error || p->fragment || p->key.protocol != IPPROTO_TCP ||
	    (p->tcp_flags & TCP_RST) || (p->ipv6 && options_length(p)))
		return 0;
	if (p->reset == RESET_ALWAYS || p->key.vpc == SERVICE_VPC)
		return 1;
	place = place_of(p->key.vpc, &p->key.destination);
	if (!place || place->kind != PLACE_INTERFACE)
		return 0;
	there = interface_of(place->interface);
	return there && there->kind == INTERFACE_ENDPOINT;
}

static __always_inline __u64 sum_of(const void *header, __u32 words)
{
	const __be32 *word = header;
	__u64 sum = 0;
	__u32 i;

#pragma unroll
	for (i = 0; i < 5; i++)
		sum += i < words ? word[i] : 0;
	return sum;
}

/* The answer to a segment, but for its checksum. */
static __always_inline void answer_segment(struct tcphdr *answer, const struct packet *p, const struct tcphdr *asked)
{
	__u32 payload = p->left - asked->doff * 4;

	__builtin_memset(answer, 0, sizeof(*answer));
	answer->source = p->key.destination_port;
	answer->dest = p->key.source_port;
	answer->doff = sizeof(*answer) / 4;
	answer->rst = 1;
	if (asked->ack) {
		answer->seq = asked->ack_seq;
	} else {
		answer->ack = 1;
		answer->ack_seq = bpf_htonl(bpf_ntohl(asked->seq) + payload + asked->syn + asked->fin);
	}
}

static __always_inline int turn_round4(struct iphdr *ip, void *end, const struct packet *p)
{
	if ((void *)(ip + 1) > end)
		return -1;
	ip->saddr = p->key.destination.word[3];
	ip->daddr = p->key.source.word[3];
	ip->tot_len = bpf_htons(sizeof(*ip) + options_length(p) + sizeof(struct tcphdr));
	ip->ttl = 64;
	ip->id = 0;
	ip->frag_off = bpf_htons(0x4000);
	ip->check = 0;
	ip->check = changed_checksum(0xffff, folded(sum_of(ip, 5) + options_length(p) / 4 *
									   (IPV4_OPTION_NOTHING * 0x01010101ULL)));
	return 0;
}

static __always_inline int turn_round6(struct ipv6hdr *ip, void *end, const struct packet *p)
{
	if ((void *)(ip + 1) > end)
		return -1;
	__builtin_memcpy(&ip->saddr, &p->key.destination, sizeof(ip->saddr));
	__builtin_memcpy(&ip->daddr, &p->key.source, sizeof(ip->daddr));
	ip->payload_len = bpf_htons(sizeof(struct tcphdr));
	ip->hop_limit = 64;
	return 0;
}

/* The sum of the answer's pseudo header. */
static __always_inline __u32 pseudo_sum(const struct packet *p)
{
	__u64 sum = bpf_htonl(IPPROTO_TCP) + (__u64)bpf_htonl(sizeof(struct tcphdr));

	if (!p->ipv6)
		return folded(sum + p->key.source.word[3] + p->key.destination.word[3]);
	return folded(sum + sum_of(&p->key.source, 4) + sum_of(&p->key.destination, 4));
}

/* All of IPv4's options become such that do nothing. */
static __always_inline int void_options(struct __sk_buff *skb, const struct packet *p)
{
	__u32 last = options_length(p) - 1;
	__u8 nothing[MAX_IPV4_OPTIONS];

	/* The bounds are to be seen on the number that is used: Linux 6.1 does not work them out from another. */
	barrier_var(last);
	if (last >= sizeof(nothing))
		return last + 1 ? -1 : 0;
	__builtin_memset(nothing, IPV4_OPTION_NOTHING, sizeof(nothing));
	return bpf_skb_store_bytes(skb, sizeof(struct ethhdr) + sizeof(struct iphdr), nothing, last + 1, 0);
}

/* 0: the frame is now the answer. */
static __noinline int turn_into_reset(struct __sk_buff *skb, const struct packet *p)
{
	__u32 at = p->transport + __builtin_offsetof(struct tcphdr, check);
	__u32 length = p->transport + sizeof(struct tcphdr);
	struct tcphdr asked, answer;
	struct ethhdr *eth;
	void *ip, *end;

	if (bpf_skb_load_bytes(skb, p->transport, &asked, sizeof(asked)))
		return -1;
	answer_segment(&answer, p, &asked);
	if (bpf_skb_change_tail(skb, length, 0) || linear(skb, length))
		return -1;
	eth = (void *)(long)skb->data;
	end = (void *)(long)skb->data_end;
	ip = eth + 1;
	if (ip > end || (p->ipv6 ? turn_round6(ip, end, p) : turn_round4(ip, end, p)))
		return -1;
	__builtin_memcpy(eth->h_dest, eth->h_source, ETH_ALEN);
	__builtin_memcpy(eth->h_source, p->settings.router_mac, ETH_ALEN);
	if (bpf_skb_store_bytes(skb, p->transport, &answer, sizeof(answer), 0) || (!p->ipv6 && void_options(skb, p)))
		return -1;
	if (bpf_l4_csum_replace(skb, at, 0, pseudo_sum(p), BPF_F_PSEUDO_HDR))
		return -1;
	return bpf_l4_csum_replace(skb, at, 0, folded(sum_of(&answer, 5)), 0);
}

#endif
