/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fragments follow their first one, which alone has the ports.
 *
 * A first fragment goes its way as any packet, for which it has to hold the whole transport header. Before it is
 * delivered, what its followers need is noted: the flow's key, and where it ends. Others are known by who sends
 * them, addresses, protocol and identification; one that fits no note of the last 30 seconds, or that begins before the first one's end, is dropped: so none is delivered unmatched,
 * and none overwrites a header that was judged (RFC 1858, RFC 5722). A first one with another port than the one
 * before makes a note of its own, after it was judged itself. Fragments that overtake their first one are lost,
 * as no sender here sends them so; what overlaps otherwise is the receiver's to refuse.
 *
 * Notes lie in a fixed number of slots for each interface, found by a hash, and a new one takes the place of an
 * old one: so memory is bounded, a flood of first fragments costs only its sender, and nothing has to be counted.
 * Datagrams in a row have different slots.
 *
 * Behind a balancer's address many senders are one, and their identifications may meet at a target, which would
 * put together what does not belong together. So a datagram that gets another source gets another identification
 * as well, from a counter for all.
 */
#ifndef LINKWAY_FRAGMENT_H
#define LINKWAY_FRAGMENT_H

#include "endpoint.h"

#define FRAGMENT_SLOTS 256

#define IPV4_ID_OFFSET (sizeof(struct ethhdr) + __builtin_offsetof(struct iphdr, id))
#define IPV4_CHECK_OFFSET (sizeof(struct ethhdr) + __builtin_offsetof(struct iphdr, check))

/* The identification given last. A new build's programs begin anew. */
__u32 last_identification;

static __always_inline struct fragment_key slot_of(const struct packet *p)
{
	__u32 hash = mixed(p->key.source.word[3], p->key.destination.word[3]);
	struct fragment_key key = { .interface = p->interface };

	/* Identifications of datagrams in a row differ in their last bits. */
	key.slot = (hash ^ p->key.protocol ^ bpf_ntohl(p->fragment_id)) % FRAGMENT_SLOTS;
	return key;
}

/* Gives a later fragment the ports of its first one. */
static __noinline int follow_first(struct packet *p)
{
	struct fragment_key slot = slot_of(p);
	struct fragment *first = bpf_map_lookup_elem(&fragments, &slot);

	if (!first || first->id != p->fragment_id || p->fragment_offset < first->end ||
	    (__s64)(p->now - first->seen) > (__s64)(IDLE_FRAGMENT * SECOND))
		return DROP_FRAGMENT;
	p->key.source_port = first->key.source_port;
	p->key.destination_port = first->key.destination_port;
	if (!same_key(&p->key, &first->key)) {
		p->key.source_port = p->key.destination_port = 0;
		return DROP_FRAGMENT;
	}
	p->icmp_type = first->icmp_type;
	p->fragment_new_id = first->new_id;
	return DROP_NONE;
}

/* Notes a first fragment. `translated`: its receiver sees another source. */
static __noinline int note_first(struct packet *p, int translated)
{
	struct fragment_key slot = slot_of(p);
	struct fragment first = { .key = p->key };

	p->fragment_new_id = p->fragment_id;
	if (translated) {
		p->fragment_new_id = bpf_htonl(__sync_fetch_and_add(&last_identification, 1) + 1);
		if (!p->ipv6)
			p->fragment_new_id &= bpf_htonl(0xffff);
	}
	first.id = p->fragment_id;
	first.new_id = p->fragment_new_id;
	first.seen = p->now;
	first.end = p->left / 8;
	first.icmp_type = p->icmp_type;
	return bpf_map_update_elem(&fragments, &slot, &first, BPF_ANY) ? DROP_FRAGMENT : DROP_NONE;
}

/* Writes the identification that the receiver is to see. */
static __noinline int renumber(struct __sk_buff *skb, const struct packet *p)
{
	__be32 id = p->fragment_new_id;
	__be16 before, after;

	if (id == p->fragment_id)
		return DROP_NONE;
	if (p->ipv6)
		return bpf_skb_store_bytes(skb, p->fragment_at, &id, sizeof(id), 0) ? DROP_MALFORMED : DROP_NONE;
	before = bpf_htons(bpf_ntohl(p->fragment_id));
	after = bpf_htons(bpf_ntohl(id));
	if (bpf_l3_csum_replace(skb, IPV4_CHECK_OFFSET, before, after, sizeof(after)) ||
	    bpf_skb_store_bytes(skb, IPV4_ID_OFFSET, &after, sizeof(after), 0))
		return DROP_MALFORMED;
	return DROP_NONE;
}

#endif
