/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ARP (RFC 826): who has an address of the VPC? The router has: every address that something stands at, and
 * every other one of the asker's subnet, is answered with the router's MAC, in place, and the frame goes
 * back where it came from. So a workload learns nobody's MAC, and needs no route to reach what is on its
 * own subnet. Where nothing stands, what is then sent is dropped for a reason of its own; silence would make
 * the asker wait a second before it asks again, and so keep whoever tries an endpoint a moment too early
 * from it for that second.
 *
 * Not answered, so that duplicate address detection (RFC 5227, a request from 0.0.0.0) finds an address
 * free: the asker's own, and those where nothing is. This, and announcements, is housekeeping (link.h). A sender
 * that is not the interface itself is forged. All else is dropped as NO_ROUTE: answers nobody asked for, addresses
 * of other subnets where nothing is.
 */
#ifndef LINKWAY_ARP_H
#define LINKWAY_ARP_H

#include "link.h"

/* From linux/if_arp.h, which drags in the C library. */
#define ARP_ETHERNET 1
#define ARP_REQUEST 1
#define ARP_REPLY 2

struct arp_frame {
	struct ethhdr eth;
	__be16 hardware;
	__be16 protocol;
	__u8 hardware_length;
	__u8 protocol_length;
	__be16 operation;
	__u8 sender_mac[ETH_ALEN];
	__u8 sender[4];
	__u8 target_mac[ETH_ALEN];
	__u8 target[4];
} __attribute__((packed));

/* Is the asker who it says, and is there something to say? */
static __always_inline int judge_question(const struct packet *p)
{
	struct place *place;

	if ((p->flags & INTERFACE_SOURCE_CHECK) && p->key.source.word[3] &&
	    !is_place_of(p->key.vpc, &p->key.source, p->interface))
		return DROP_SPOOFED_SOURCE;
	if (p->key.vpc == SERVICE_VPC)
		return DROP_NONE;
	place = place_of(p->key.vpc, &p->key.destination);
	if (place)
		return is_own(p, place) ? DROP_LINK_HOUSEKEEPING : DROP_NONE;
	if (!p->key.source.word[3])
		return DROP_LINK_HOUSEKEEPING;
	return in_prefix(&p->key.destination, &p->key.source, p->prefix) ? DROP_NONE : DROP_NO_ROUTE;
}

/* Turns a question into its answer. DROP_NONE: send it back. */
static __noinline int answer_arp(struct __sk_buff *skb, struct packet *p)
{
	struct arp_frame *arp;
	__u8 sender[4];
	__be32 address;
	int reason;

	if (linear(skb, sizeof(*arp)))
		return DROP_MALFORMED;
	arp = (void *)(long)skb->data;
	if ((void *)(arp + 1) > (void *)(long)skb->data_end)
		return DROP_MALFORMED;
	if (arp->hardware != bpf_htons(ARP_ETHERNET) || arp->protocol != bpf_htons(ETH_P_IP) ||
	    arp->hardware_length != ETH_ALEN || arp->protocol_length != 4)
		return DROP_MALFORMED;
	__builtin_memcpy(&address, arp->sender, 4);
	mapped(&p->key.source, address);
	__builtin_memcpy(&address, arp->target, 4);
	mapped(&p->key.destination, address);
	if ((p->flags & INTERFACE_SOURCE_CHECK) &&
	    (!same_mac(arp->eth.h_source, p->mac) || !same_mac(arp->sender_mac, p->mac)))
		return DROP_SPOOFED_SOURCE;
	if (arp->operation != bpf_htons(ARP_REQUEST))
		return DROP_NO_ROUTE;
	reason = judge_question(p);
	if (reason)
		return reason;

	arp->operation = bpf_htons(ARP_REPLY);
	__builtin_memcpy(sender, arp->sender, 4);
	__builtin_memcpy(arp->eth.h_dest, arp->sender_mac, ETH_ALEN);
	__builtin_memcpy(arp->target_mac, arp->sender_mac, ETH_ALEN);
	__builtin_memcpy(arp->eth.h_source, p->settings.router_mac, ETH_ALEN);
	__builtin_memcpy(arp->sender_mac, p->settings.router_mac, ETH_ALEN);
	__builtin_memcpy(arp->sender, arp->target, 4);
	__builtin_memcpy(arp->target, sender, 4);
	return DROP_NONE;
}

#endif
