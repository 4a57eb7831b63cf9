/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Neighbour discovery (RFC 4861): who has an IPv6 address of the VPC? As with ARP the router has, so arp.h says
 * what is answered and what is not, and why; the router's own link-local address besides, which is the same
 * everywhere and stands in no table.
 *
 * A workload may ask from its addresses, from none (RFC 4862: whether one is still free), or from a link-local
 * one, which is heard by nobody but the router. Of the address that it asks about only whoever has its MAC may
 * know. What else neighbours tell each other (advertisements, redirects, and all that routers say) is dropped: no
 * workload is another's router, nor tells where a third one is.
 *
 * The answer replaces the question in its frame: an advertisement with one option, the router's MAC.
 */
#ifndef LINKWAY_NEIGHBOUR_H
#define LINKWAY_NEIGHBOUR_H

#include "link.h"
#include "nat.h"

#define HOPS_ON_LINK 255        /* what has crossed no router */
#define TARGET_MAC_OPTION 2
#define ADVERTISES_SOLICITED 0x60000000 /* solicited, and to be taken instead of what was known */
#define ADVERTISES_TO_ALL 0x20000000

struct neighbour_message {
	__u8 type;
	__u8 code;
	__be16 checksum;
	__be32 flags;
	struct address target;
} __attribute__((packed));

struct neighbour_frame {
	struct ethhdr eth;
	struct ipv6hdr ip;
	struct neighbour_message message;
	__u8 option;
	__u8 option_length; /* in units of 8 bytes */
	__u8 mac[ETH_ALEN];
} __attribute__((packed));

static __always_inline int solicits_neighbour(const struct packet *p)
{
	return p->key.protocol == IPPROTO_ICMPV6 && p->icmp_type == NEIGHBOUR_SOLICITATION;
}

/* fe80::1 */
static __always_inline int is_router_link_local(const struct address *address)
{
	return address->word[0] == bpf_htonl(LINK_LOCAL6) && !address->word[1] && !address->word[2] &&
	       address->word[3] == bpf_htonl(1);
}

static __always_inline int is_in_own_subnet(const struct packet *p, const struct address *address)
{
	struct subnet *own = bpf_map_lookup_elem(&subnets, &p->subnet);

	return own && own->prefix6 && in_prefix(address, &own->address6, own->prefix6);
}

/* Is the asker who it says, and is there something to say? */
static __always_inline int judge_solicitation(const struct packet *p, const struct address *target)
{
	const struct address *source = &p->key.source;
	struct place *place;

	if ((p->flags & INTERFACE_SOURCE_CHECK) && !is_unspecified(source) && !is_link_local6(source) &&
	    !is_place_of(p->key.vpc, source, p->interface))
		return DROP_SPOOFED_SOURCE;
	if (is_router_link_local(target))
		return is_router_link_local(source) ? DROP_SPOOFED_SOURCE : DROP_NONE;
	place = place_of(p->key.vpc, target);
	if (place)
		return is_own(p, place) ? DROP_LINK_HOUSEKEEPING : DROP_NONE;
	if (is_unspecified(source))
		return DROP_LINK_HOUSEKEEPING;
	return is_in_own_subnet(p, target) ? DROP_NONE : DROP_NO_ROUTE;
}

/* Turns a question into its answer. DROP_NONE: send it back. */
static __noinline int answer_neighbour(struct __sk_buff *skb, struct packet *p)
{
	struct address source = p->key.source, target;
	struct neighbour_frame *frame;
	__be32 pseudo[2];
	__s64 sum;
	int reason;

	if ((p->flags & INTERFACE_SOURCE_CHECK) && !from_own_mac(skb, p))
		return DROP_SPOOFED_SOURCE;
	if (p->transport != __builtin_offsetof(struct neighbour_frame, message) ||
	    p->left < sizeof(struct neighbour_message) || linear(skb, p->transport + sizeof(struct neighbour_message)))
		return DROP_MALFORMED;
	frame = (void *)(long)skb->data;
	if ((void *)(&frame->message + 1) > (void *)(long)skb->data_end)
		return DROP_MALFORMED;
	if (frame->ip.hop_limit != HOPS_ON_LINK)
		return DROP_MALFORMED;
	target = frame->message.target;
	reason = judge_solicitation(p, &target);
	if (reason)
		return reason;

	if (bpf_skb_change_tail(skb, sizeof(*frame), 0) || linear(skb, sizeof(*frame)))
		return DROP_MALFORMED;
	frame = (void *)(long)skb->data;
	if ((void *)(frame + 1) > (void *)(long)skb->data_end)
		return DROP_MALFORMED;
	frame->message.type = NEIGHBOUR_ADVERTISEMENT;
	frame->message.flags = bpf_htonl(ADVERTISES_SOLICITED);
	frame->message.checksum = 0;
	if (is_unspecified(&source)) {
		/* Nobody to answer, so everybody: ff02::1. */
		source.word[0] = bpf_htonl(0xff020000);
		source.word[3] = bpf_htonl(1);
		frame->message.flags = bpf_htonl(ADVERTISES_TO_ALL);
	}
	frame->option = TARGET_MAC_OPTION;
	frame->option_length = 1;
	__builtin_memcpy(frame->mac, p->settings.router_mac, ETH_ALEN);
	__builtin_memcpy(frame->eth.h_dest, frame->eth.h_source, ETH_ALEN);
	__builtin_memcpy(frame->eth.h_source, p->settings.router_mac, ETH_ALEN);
	__builtin_memcpy(&frame->ip.saddr, &target, sizeof(target));
	__builtin_memcpy(&frame->ip.daddr, &source, sizeof(source));
	frame->ip.payload_len = bpf_htons(sizeof(*frame) - __builtin_offsetof(struct neighbour_frame, message));

	pseudo[0] = bpf_htonl(sizeof(*frame) - __builtin_offsetof(struct neighbour_frame, message));
	pseudo[1] = bpf_htonl(IPPROTO_ICMPV6);
	sum = bpf_csum_diff(NULL, 0, pseudo, sizeof(pseudo), 0);
	sum = bpf_csum_diff(NULL, 0, source.word, sizeof(source), sum);
	sum = bpf_csum_diff(NULL, 0, target.word, sizeof(target), sum);
	sum = bpf_csum_diff(NULL, 0, (void *)&frame->message, sizeof(*frame) - __builtin_offsetof(struct neighbour_frame, message),
			    sum);
	frame->message.checksum = changed_checksum(0xffff, folded(sum & 0xffffffff));
	return DROP_NONE;
}

#endif
