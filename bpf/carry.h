/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A packet's way through its flow: find it, or open it; see that it may still be; then rewrite and count.
 *
 * A change of rules, endpoints, listeners or targets raises the epoch. A flow that was judged under
 * another one is judged anew by its next packet, whichever way that goes, and ends there if what let it in
 * does so no more. So a change costs nothing a flow, and a revoked rule stops its flows at once. What an ACL
 * or a route refuses is dropped, and its flow stays: see subnet.h.
 *
 * After the rewrite the frame is marked as meant for its receiver: before Linux 6.15 bpf_redirect_peer
 * leaves the mark that the host's end made by comparing MACs, and the receiver would ignore the frame.
 */
#ifndef LINKWAY_CARRY_H
#define LINKWAY_CARRY_H

#include <linux/if_packet.h>

#include "clamp.h"
#include "error.h"
#include "flow.h"
#include "fragment.h"
#include "nat.h"

/* Judges an open flow as its first packet would be now. On refusal both entries are gone. */
static __noinline int judge_again(struct packet *p, struct flow *flow)
{
	struct flow *other = other_half(&p->key, flow), *forward, *reverse;
	struct course *c = &p->course;
	struct interface *sender;
	int reason = DROP_FLOW_REVOKED;

	if (!other)
		goto refused;
	if (flow->flags & FLOW_FORWARD) {
		forward = flow;
		reverse = other;
		c->key = p->key;
	} else {
		forward = other;
		reverse = flow;
		c->key = flow->peer;
	}
	c->opened = 1;
	c->sender = forward->sender;
	c->sender_groups = 0;
	c->sender_subnet = 0;
	c->destination = forward->peer.source;
	c->destination_port = forward->peer.source_port;
	/* No copy of the number: of the 512 bytes of stack, Linux 6.1 takes 32 at a time, and the deepest way is from here on. */
	sender = c->sender ? bpf_map_lookup_elem(&interfaces, &c->sender) : NULL;
	if (sender) {
		c->sender_groups = sender->groups;
		c->sender_subnet = sender->subnet;
	} else if (c->sender) {
		goto refused;
	}

	reason = judge(c, &p->settings);
	p->other = c->receiver;
	if (reason)
		goto refused;
	reason = DROP_FLOW_REVOKED;
	if (c->receiver != forward->receiver || c->via != forward->via || c->vpc != forward->peer.vpc ||
	    c->destination_port != forward->peer.source_port ||
	    !same_address(&c->destination, &forward->peer.source) ||
	    !same_address(&c->source, &forward->peer.destination))
		goto refused;

	/* Either end may have got another device since. */
	forward->device = c->device;
	__builtin_memcpy(forward->mac, c->mac, ETH_ALEN);
	reverse->device = sender ? sender->device : p->settings.service_device;
	__builtin_memcpy(reverse->mac, sender ? sender->mac : p->settings.service_mac, ETH_ALEN);
	forward->egress_rule = reverse->egress_rule = c->egress_rule;
	forward->ingress_rule = reverse->ingress_rule = c->ingress_rule;
	forward->idle_seconds = reverse->idle_seconds = idle_seconds(c);
	forward->counter = reverse->counter = c->counter;
	forward->refused = c->refused;
	reverse->refused = returns(c, forward->peer.destination_port);
	forward->epoch = reverse->epoch = p->settings.epoch;
	return DROP_NONE;

refused:
	p->rule = reason == DROP_EGRESS_DENIED ? flow->egress_rule : flow->ingress_rule;
	remove_pair(&p->key, flow);
	p->reset = RESET_TOWARDS_ENDPOINT;
	return reason;
}

/* Judges a packet that belongs to no flow and opens one. */
static __noinline int open_for(struct packet *p, __u32 device)
{
	struct course *c = &p->course;
	int reason;

	if ((p->flags & INTERFACE_SOURCE_CHECK) && !is_place_of(p->key.vpc, &p->key.source, p->interface))
		return DROP_SPOOFED_SOURCE;
	/* Nothing opens a flow from outside. */
	if (!opens(p) || p->key.vpc == UPLINK_VPC) {
		p->reset = RESET_TOWARDS_ENDPOINT;
		return DROP_NO_FLOW;
	}
	c->key = p->key;
	c->opened = 0;
	c->sender = p->interface;
	c->sender_groups = p->groups;
	c->sender_subnet = p->subnet;
	reason = judge(c, &p->settings);
	p->other = c->receiver;
	if (reason)
		return reason;
	return open_flow(p, device);
}

/* An answer, a FIN or a RST changes the state of the pair. */
static __noinline void follow(const struct packet *p, struct flow *flow)
{
	struct flow *other = other_half(&p->key, flow);
	__u32 set = 0;

	if (!other)
		return;
	if (!(flow->flags & FLOW_FORWARD))
		set |= FLOW_ESTABLISHED;
	if (p->tcp_flags & TCP_FIN)
		__sync_fetch_and_or(&flow->flags, FLOW_FIN);
	if ((p->tcp_flags & TCP_RST) || (flow->flags & other->flags & FLOW_FIN))
		set |= FLOW_CLOSING;
	mark(flow, p->key.protocol, set);
	mark(other, p->key.protocol, set);
}

/*
 * The flow that the packet is to follow, or null: there is none (any more). A reason in `*reason` ends the
 * packet's way.
 */
static __always_inline struct flow *flow_of(struct packet *p, int *reason)
{
	struct flow *flow = bpf_map_lookup_elem(&flows, &p->key);

	if (!flow)
		return NULL;
	if (flow->sender != p->interface) {
		/*
		 * The address has moved to another interface, or another one sends on for it now; or somebody
		 * pretends that it has.
		 */
		if (p->key.forwarded || is_place_of(p->key.vpc, &p->key.source, p->interface))
			goto outlived;
		*reason = DROP_SPOOFED_SOURCE;
		return NULL;
	}
	if (expired(&p->key, flow, p->now)) {
		if (p->key.protocol == IPPROTO_TCP && !opens(p)) {
			p->reset = RESET_ALWAYS;
			*reason = DROP_FLOW_EXPIRED;
		}
		goto outlived;
	}
	if ((flow->flags & FLOW_CLOSING) && opens(p))
		goto outlived;
	/* With identifier 0 a request from either side has the key of an answer to the other. */
	if (is_icmp(p->key.protocol) &&
	    (p->icmp_type == echo_request(p->key.protocol)) != !!(flow->flags & FLOW_FORWARD)) {
		*reason = DROP_NO_FLOW;
		return NULL;
	}
	if (flow->epoch != p->settings.epoch)
		*reason = judge_again(p, flow);
	if (!*reason && flow->refused) {
		p->other = flow->receiver;
		*reason = flow->refused;
	}
	return flow;

outlived:
	remove_pair(&p->key, flow);
	return NULL;
}

/* Counts what goes to its flow's other end, and says where that is. */
static __always_inline void deliver(struct __sk_buff *skb, struct packet *p, struct flow *flow)
{
	__sync_fetch_and_add(&flow->packets, p->segments);
	__sync_fetch_and_add(&flow->bytes, skb->len);
	count_traffic(p, flow, skb->len);
	p->device = flow->device;
	if (skb->pkt_type != PACKET_HOST)
		bpf_skb_change_type(skb, PACKET_HOST);
}

/* What few packets need: fragments, and SYNs through endpoints. */
static __noinline int finish(struct __sk_buff *skb, struct packet *p, __u32 via)
{
	int reason = p->fragment ? renumber(skb, p) : DROP_NONE;

	return reason || !via || !(p->tcp_flags & TCP_SYN) ? reason : clamp_segment_size(skb, p);
}

/* Takes the packet to its flow's other end. DROP_NONE: `p->device` says where that is. */
static __always_inline int carry(struct __sk_buff *skb, struct packet *p)
{
	int reason = DROP_NONE;
	struct flow *flow = flow_of(p, &reason);

	if (reason)
		return reason;
	if (!flow) {
		if (p->is_error)
			return DROP_NO_FLOW;
		reason = open_for(p, skb->ifindex);
		if (reason)
			return reason;
		flow = bpf_map_lookup_elem(&flows, &p->key);
		if (!flow)
			return DROP_FLOW_TABLE_BUSY;
	}
	if (!flow->device)
		return DROP_NOT_DELIVERED;
	if (p->is_error) {
		reason = address_frame(skb, p, flow->mac);
		if (!reason)
			reason = rewrite_error(skb, p, &flow->peer);
		if (!reason)
			deliver(skb, p, flow);
		return reason;
	}
	if (!(flow->flags & (FLOW_FORWARD | FLOW_ESTABLISHED)) || (p->tcp_flags & (TCP_FIN | TCP_RST)))
		follow(p, flow);
	if (p->fragment == FRAGMENT_FIRST) {
		reason = note_first(p, !same_address(&p->key.source, &flow->peer.destination));
		if (reason)
			return reason;
	}
	reason = rewrite(skb, p, &flow->peer, flow->mac);
	if (!reason && (p->fragment || (p->tcp_flags & TCP_SYN)))
		reason = finish(skb, p, flow->via);
	if (reason)
		return reason;
	if (flow->seen != p->now)
		flow->seen = p->now;
	deliver(skb, p, flow);
	return DROP_NONE;
}

#endif
