/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers a refused TCP packet with RST, so that its sender fails at once and not by its own time-out: on
 * an endpoint's address, of the gateway in the service namespace, and for flows that have expired, as AWS does ("If a client or a target sends data
 * after the idle timeout period elapses, it receives a TCP RST packet").
 *
 * The segment is RFC 9293's for a connection that does not exist (3.10.7.1): with ACK set, the RST has the
 * acknowledged number as its own; else number 0, and it acknowledges what came. RST is never answered. The
 * frame is cut to its headers and turned round in place; where its checksum was left to the hardware it
 * still is, so the new one is told to the kernel as for a rewrite: pseudo header and header apart, over a
 * field of zero.
 *
 * Not handled: packets with IPv4 options, which are just dropped. One answer a packet, so that no more goes
 * out than came in.
 */
#ifndef LINKWAY_RESET_H
#define LINKWAY_RESET_H

#include "nat.h"

struct tcp_frame {
	struct ethhdr eth;
	struct iphdr ip;
	struct tcphdr tcp;
} __attribute__((packed));

struct tcp_frame6 {
	struct ethhdr eth;
	struct ipv6hdr ip;
	struct tcphdr tcp;
} __attribute__((packed));

/* Where the TCP header is, if nothing is between it and the IP header. */
static __always_inline __u32 tcp_offset(const struct packet *p)
{
	return p->ipv6 ? __builtin_offsetof(struct tcp_frame6, tcp) : __builtin_offsetof(struct tcp_frame, tcp);
}

static __always_inline int wants_reset(const struct packet *p)
{
	struct interface *there;
	struct place *place;

	if (p->reset == RESET_NEVER || p->key.protocol != IPPROTO_TCP || (p->tcp_flags & TCP_RST) ||
	    p->transport != tcp_offset(p))
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

static __always_inline void turn_round4(struct iphdr *ip, const struct packet *p)
{
	ip->saddr = p->key.destination.word[3];
	ip->daddr = p->key.source.word[3];
	ip->tot_len = bpf_htons(sizeof(*ip) + sizeof(struct tcphdr));
	ip->ttl = 64;
	ip->id = 0;
	ip->frag_off = bpf_htons(0x4000);
	ip->check = 0;
	ip->check = changed_checksum(0xffff, folded(sum_of(ip, 5)));
}

static __always_inline void turn_round6(struct ipv6hdr *ip, const struct packet *p)
{
	__builtin_memcpy(&ip->saddr, &p->key.destination, sizeof(ip->saddr));
	__builtin_memcpy(&ip->daddr, &p->key.source, sizeof(ip->daddr));
	ip->payload_len = bpf_htons(sizeof(struct tcphdr));
	ip->hop_limit = 64;
}

/* The sum of the answer's pseudo header. */
static __always_inline __u32 pseudo_sum(const struct packet *p)
{
	__u64 sum = bpf_htonl(IPPROTO_TCP) + (__u64)bpf_htonl(sizeof(struct tcphdr));

	if (!p->ipv6)
		return folded(sum + p->key.source.word[3] + p->key.destination.word[3]);
	return folded(sum + sum_of(&p->key.source, 4) + sum_of(&p->key.destination, 4));
}

/* 0: the frame is now the answer. */
static __noinline int turn_into_reset(struct __sk_buff *skb, const struct packet *p)
{
	__u32 at = tcp_offset(p) + __builtin_offsetof(struct tcphdr, check);
	__u32 length = tcp_offset(p) + sizeof(struct tcphdr);
	struct tcphdr asked, answer;
	struct ethhdr *eth;

	if (bpf_skb_load_bytes(skb, tcp_offset(p), &asked, sizeof(asked)))
		return -1;
	answer_segment(&answer, p, &asked);
	if (bpf_skb_change_tail(skb, length, 0) || linear(skb, length))
		return -1;
	eth = (void *)(long)skb->data;
	if (p->ipv6) {
		struct tcp_frame6 *frame = (void *)eth;

		if ((void *)(frame + 1) > (void *)(long)skb->data_end)
			return -1;
		turn_round6((void *)(eth + 1), p);
		frame->tcp = answer;
	} else {
		struct tcp_frame *frame = (void *)eth;

		if ((void *)(frame + 1) > (void *)(long)skb->data_end)
			return -1;
		turn_round4((void *)(eth + 1), p);
		frame->tcp = answer;
	}
	__builtin_memcpy(eth->h_dest, eth->h_source, ETH_ALEN);
	__builtin_memcpy(eth->h_source, p->settings.router_mac, ETH_ALEN);
	if (bpf_l4_csum_replace(skb, at, 0, pseudo_sum(p), BPF_F_PSEUDO_HDR))
		return -1;
	return bpf_l4_csum_replace(skb, at, 0, folded(sum_of(&answer, 5)), 0);
}

#endif
