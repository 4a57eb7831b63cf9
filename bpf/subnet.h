/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between subnets: network ACLs.
 *
 * An ACL is asked what leaves a subnet and what enters one, never what stays within (AWS, "Network ACL
 * basics"). It is stateless: its entries are asked about both directions of a flow, each with its own
 * addresses and the destination's port, so that answers need the sender's port let through. The entry with
 * the lowest number that matches decides; where none matches, the packet is refused.
 *
 * A packet takes two hops at most: from its sender to what stands at its destination, and from a balancer's
 * node to a target. Between an endpoint and its balancer there is no subnet, and no ACL.
 *
 * Stateless does not mean that every packet pays for it. A flow keeps what was said of each of its
 * directions, and is judged anew, as for all else, when the epoch has moved on. Unlike a security group's, an
 * ACL's refusal does not end a flow: its packets are dropped for as long as it stands.
 */
#ifndef LINKWAY_SUBNET_H
#define LINKWAY_SUBNET_H

#include "parse.h"
#include "rules.h"

/* Does the subnet's ACL let this through? `search->protocol` and `port` are the caller's to set. */
static __always_inline int passes(struct rule_search *search, const struct subnet *subnet, __u32 direction,
				  const struct address *peer)
{
	const struct ruleset *acl = &subnet->acl[direction];

	if (!acl->rules)
		return 1;
	find_first(search, acl, peer, 0);
	return search->found && !search->denies;
}

/* May a packet take this hop? Not static for the verifier's sake, as `admits` is. */
__noinline int crosses(struct rule_search *search, const struct hop *hop)
{
	struct subnet *from, *to;

	if (!search || !hop)
		return DROP_NO_ROUTE;
	if (hop->from == hop->to)
		return DROP_NONE;
	from = bpf_map_lookup_elem(&subnets, &hop->from);
	if (!from || (!hop->receiver && in_prefix(&hop->destination, &from->address, from->prefix)))
		return DROP_NO_ROUTE;
	if (!passes(search, from, RULE_EGRESS, &hop->destination))
		return DROP_ACL_EGRESS_DENIED;
	if (!hop->receiver)
		return DROP_NO_ROUTE;
	to = bpf_map_lookup_elem(&subnets, &hop->to);
	if (!to || !passes(search, to, RULE_INGRESS, &hop->source))
		return DROP_ACL_INGRESS_DENIED;
	return DROP_NONE;
}

/* As above; but a refusal is only noted where the flow exists. */
static __always_inline int cross(struct course *c, const struct hop *hop)
{
	int reason = crosses(&c->search, hop);

	if (!c->opened)
		return reason;
	if (!c->refused)
		c->refused = reason;
	return DROP_NONE;
}

static __always_inline void turn_round(struct hop *back, const struct hop *hop, __u32 receiver)
{
	back->from = hop->to;
	back->to = hop->from;
	back->source = hop->destination;
	back->destination = hop->source;
	back->receiver = receiver;
}

/*
 * May answers to what took this course come back? `port` is where a target answers to, in network order,
 * which is known once the flow is open.
 */
__noinline int returns(struct course *c, __u32 port)
{
	int reason;

	if (!c)
		return DROP_NO_ROUTE;
	c->search.port = c->key.protocol == IPPROTO_ICMP ? ICMP_ECHO_REPLY : bpf_ntohs(port);
	turn_round(&c->back, &c->second, c->node);
	reason = crosses(&c->search, &c->back);
	if (reason)
		return reason;
	if (c->key.protocol != IPPROTO_ICMP)
		c->search.port = bpf_ntohs(c->key.source_port);
	turn_round(&c->back, &c->first, c->sender);
	return crosses(&c->search, &c->back);
}

#endif
