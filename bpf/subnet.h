/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between subnets: network ACLs and route tables.
 *
 * Both are asked what leaves a subnet, an ACL also what enters one, and neither what stays within (AWS, "Network
 * ACL basics", "Route table concepts"). An ACL is stateless: its entries are asked about both directions of a
 * flow, each with its own addresses and the destination's port, so that answers need the sender's port let
 * through. The entry with the lowest number that matches decides; where none matches, the packet is refused.
 * In a route table the longest prefix decides.
 *
 * A packet takes two hops at most: from its sender to what stands at its destination, and from there on: from a
 * balancer's node to a target, or from a NAT gateway out. Between an endpoint and its balancer there is no subnet to leave.
 *
 * A route to an interface redirects a packet there unless the interface checks sources (and destinations, as
 * on AWS). What is behind it sends the packet on, as one more first packet, of a flow of its own: the key says
 * that it is forwarded. Answers go back by the same way, whatever leads there.
 *
 * A route to an internet or a NAT gateway leads there: see uplink.h. A NAT gateway stands in a subnet, which the
 * packet enters, and leaves as from the gateway: its second hop.
 *
 * A route to a gateway endpoint leads to the gateway in the service namespace, which answers for the service
 * at its public addresses. What is beyond it is in no subnet, so only the sender's ACL is asked.
 *
 * Stateless does not mean that every packet pays for it. A flow keeps what was said of each of its
 * directions, and is judged anew, as for all else, when the epoch has moved on. Unlike a security group's, a
 * refusal here does not end a flow: its packets are dropped for as long as it stands.
 *
 * Not handled: a flow through two interfaces that forward; redirection between a node and its target.
 */
#ifndef LINKWAY_SUBNET_H
#define LINKWAY_SUBNET_H

#include "parse.h"
#include "rules.h"

#define LINK_LOCAL 0xa9fe0000      /* 169.254.0.0/16 */
#define MULTICAST 0xe0000000       /* 224.0.0.0 and all above it */
#define MULTICAST6 0xff000000      /* ff00::/8 */
#define INSTANCE_SERVICES 0xfd000ec2 /* fd00:ec2::/32: AWS's own, as 169.254.0.0/16 is of IPv4 */

static __always_inline struct subnet *subnet_of(__u64 id)
{
	return bpf_map_lookup_elem(&subnets, &id);
}

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

static __always_inline struct route *route_of(const struct subnet *subnet, const struct address *destination)
{
	struct route_key key = { .destination = *destination };

	key.bits = 8 * (sizeof(key.table) + sizeof(key.destination));
	key.table[0] = subnet->routes[0];
	key.table[1] = subnet->routes[1] ^ !is_ipv4(destination);
	return bpf_map_lookup_elem(&routes, &key);
}

/* Makes an interface that sends on the receiver. Where it does not, the hop stays as it is. */
static __always_inline void redirect(struct hop *hop, __u32 number)
{
	struct interface *there = interface_of(number);

	if (!there || there->kind != INTERFACE_WORKLOAD || (there->flags & INTERFACE_SOURCE_CHECK) ||
	    number == hop->sender)
		return;
	hop->receiver = number;
	hop->to = there->subnet;
}

/* Makes a gateway endpoint the receiver. */
static __always_inline void lead_outside(struct hop *hop, __u32 number)
{
	hop->receiver = number;
	hop->to = SUBNET_OUTSIDE;
}

/* Makes an internet or NAT gateway the receiver, unless it is the sender itself. */
static __always_inline void lead_to_gateway(struct hop *hop, __u32 number)
{
	struct interface *there = interface_of(number);

	if (!there || number == hop->sender)
		return;
	hop->receiver = number;
	hop->to = there->subnet;
}

/* Does the route lead to the receiver? */
static __always_inline int leads_to(const struct route *route, __u32 receiver)
{
	if (!route)
		return DROP_NO_ROUTE;
	switch (route->kind) {
	case ROUTE_LOCAL:
		return receiver ? DROP_NONE : DROP_NO_ROUTE;
	case ROUTE_INTERFACE:
	case ROUTE_ENDPOINT:
		return receiver == route->interface ? DROP_NONE : DROP_NOT_FORWARDED;
	case ROUTE_UPLINK:
		return receiver && receiver == route->interface ? DROP_NONE : DROP_NO_UPLINK;
	default:
		return DROP_BLACKHOLE_ROUTE;
	}
}

/* Has the address a meaning on its sender's link only, or is it no single receiver's? */
static __always_inline int stays_on_link(const struct address *address)
{
	__u32 first = bpf_ntohl(address->word[is_ipv4(address) ? 3 : 0]);

	if (is_ipv4(address))
		return (first & 0xffff0000) == LINK_LOCAL || first >= MULTICAST;
	return is_link_local6(address) || first >= MULTICAST6 || first == INSTANCE_SERVICES;
}

/* Is this an address that nothing leads to, whatever a route table says? */
static __always_inline int is_nowhere(const struct hop *hop, const struct subnet *from)
{
	if (hop->receiver)
		return 0;
	if (stays_on_link(&hop->destination))
		return 1;
	if (is_ipv4(&hop->destination))
		return in_prefix(&hop->destination, &from->address, from->prefix);
	return from->prefix6 && in_prefix(&hop->destination, &from->address6, from->prefix6);
}

/* Does the ACL of the subnet that a packet enters let it in? */
static __always_inline int enters(struct rule_search *search, const struct hop *hop)
{
	struct subnet *to = subnet_of(hop->to);

	return to && passes(search, to, RULE_INGRESS, &hop->source) ? DROP_NONE : DROP_ACL_INGRESS_DENIED;
}

/* May a packet take this hop? Where it is redirected, the hop is changed. Not static for the verifier's sake. */
__noinline int crosses(struct rule_search *search, struct hop *hop)
{
	struct subnet *from;
	struct route *route;
	int reason;

	if (!search || !hop)
		return DROP_NO_ROUTE;
	if (hop->from == hop->to)
		return DROP_NONE;
	if (hop->from == SUBNET_OUTSIDE)
		return enters(search, hop);
	from = subnet_of(hop->from);
	if (!from || is_nowhere(hop, from))
		return DROP_NO_ROUTE;
	route = route_of(from, &hop->destination);
	if (hop->redirects && route && route->kind == ROUTE_INTERFACE)
		redirect(hop, route->interface);
	if (hop->redirects && route && route->kind == ROUTE_ENDPOINT)
		lead_outside(hop, route->interface);
	if (hop->redirects && route && route->kind == ROUTE_UPLINK)
		lead_to_gateway(hop, route->interface);
	if (hop->from != hop->to && !passes(search, from, RULE_EGRESS, &hop->destination))
		return DROP_ACL_EGRESS_DENIED;
	reason = leads_to(route, hop->receiver);
	if (reason || hop->from == hop->to || hop->to == SUBNET_OUTSIDE)
		return reason;
	return enters(search, hop);
}

/* As above; but a refusal is only noted where the flow exists. */
static __always_inline int cross(struct course *c, struct hop *hop)
{
	int reason = crosses(&c->search, hop);

	if (!c->opened)
		return reason;
	if (!c->refused)
		c->refused = reason;
	return DROP_NONE;
}

static __always_inline void turn_round(struct hop *back, const struct hop *hop)
{
	back->from = hop->to;
	back->to = hop->from;
	back->source = hop->destination;
	back->destination = hop->source;
	back->sender = hop->receiver;
	back->receiver = hop->sender;
	back->redirects = 0;
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
	c->search.port = is_icmp(c->key.protocol) ? echo_reply(c->key.protocol) : bpf_ntohs(port);
	turn_round(&c->back, &c->second);
	reason = crosses(&c->search, &c->back);
	if (reason)
		return reason;
	if (!is_icmp(c->key.protocol))
		c->search.port = bpf_ntohs(c->key.source_port);
	turn_round(&c->back, &c->first);
	return crosses(&c->search, &c->back);
}

#endif
