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

static __always_inline int wants_reset(const struct packet *p)
{
	struct interface *there;
	struct place *place;

	if (p->reset == RESET_NEVER || p->key.protocol != IPPROTO_TCP || (p->tcp_flags & TCP_RST) ||
	    p->transport != __builtin_offsetof(struct tcp_frame, tcp))
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

/* 0: the frame is now the answer. */
static __noinline int turn_into_reset(struct __sk_buff *skb, const struct packet *p)
{
	__u32 at = __builtin_offsetof(struct tcp_frame, tcp) + __builtin_offsetof(struct tcphdr, check);
	__be32 number = 0, acknowledged, pseudo[4], words[5];
	struct tcp_frame *frame;
	struct tcphdr answer = {};
	__u32 payload;

	if (linear(skb, sizeof(*frame)))
		return -1;
	frame = (void *)(long)skb->data;
	if ((void *)(frame + 1) > (void *)(long)skb->data_end)
		return -1;
	payload = bpf_ntohs(frame->ip.tot_len) - sizeof(frame->ip) - frame->tcp.doff * 4;
	acknowledged = bpf_htonl(bpf_ntohl(frame->tcp.seq) + payload + frame->tcp.syn + frame->tcp.fin);
	if (frame->tcp.ack)
		number = frame->tcp.ack_seq;
	if (bpf_skb_change_tail(skb, sizeof(*frame), 0))
		return -1;
	if (linear(skb, sizeof(*frame)))
		return -1;
	frame = (void *)(long)skb->data;
	if ((void *)(frame + 1) > (void *)(long)skb->data_end)
		return -1;

	answer.source = p->key.destination_port;
	answer.dest = p->key.source_port;
	answer.seq = number;
	answer.doff = sizeof(answer) / 4;
	answer.rst = 1;
	if (!(p->tcp_flags & TCP_ACK)) {
		answer.ack = 1;
		answer.ack_seq = acknowledged;
	}
	frame->tcp = answer;
	__builtin_memcpy(words, &answer, sizeof(answer));

	__builtin_memcpy(frame->eth.h_dest, frame->eth.h_source, ETH_ALEN);
	__builtin_memcpy(frame->eth.h_source, p->settings.router_mac, ETH_ALEN);
	frame->ip.saddr = p->key.destination.word[3];
	frame->ip.daddr = p->key.source.word[3];
	frame->ip.tot_len = bpf_htons(sizeof(frame->ip) + sizeof(frame->tcp));
	frame->ip.ttl = 64;
	frame->ip.id = 0;
	frame->ip.frag_off = bpf_htons(0x4000);
	frame->ip.check = 0;
	frame->ip.check = changed_checksum(0xffff, folded(sum_of(&frame->ip, 5)));

	pseudo[0] = p->key.destination.word[3];
	pseudo[1] = p->key.source.word[3];
	pseudo[2] = bpf_htonl(IPPROTO_TCP);
	pseudo[3] = bpf_htonl(sizeof(frame->tcp));
	if (bpf_l4_csum_replace(skb, at, 0, folded(sum_of(pseudo, 4)), BPF_F_PSEUDO_HDR))
		return -1;
	return bpf_l4_csum_replace(skb, at, 0, folded(sum_of(words, 5)), 0);
}

#endif
