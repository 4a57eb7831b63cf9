/* SPDX-License-Identifier: Apache-2.0 */
/*
 * May a flow be, and where does it lead? Asked of its first packet, and again when the epoch of the rules
 * has moved on since: then the flow keeps its target, but everything that had let it in must still do so.
 *
 * The order of the questions is the order of the reasons: the sender's egress rules, what lies between its
 * subnet and that of what stands at the destination (subnet.h), the receiver's ingress rules, then what an
 * endpoint or a balancer adds (endpoint.h).
 *
 * Neither security groups nor network ACLs apply to the VPC's resolver and to instance metadata, nor does anything
 * answer at a router's address (AWS, "Security groups" and "Network ACL basics": traffic to and from the Amazon DNS
 * server and instance metadata is not filtered).
 */
#ifndef LINKWAY_JUDGE_H
#define LINKWAY_JUDGE_H

#include "endpoint.h"
#include "rules.h"
#include "uplink.h"

#define RESOLVER_PORT 53
#define METADATA_PORT 80
#define PROBE_RANGE (1U << 22) /* a /10 */

static __always_inline int lead_to_workload(struct course *c, const struct interface *there)
{
	c->source = c->key.source;
	c->destination = c->key.destination;
	c->destination_port = c->key.destination_port;
	c->vpc = c->key.vpc;
	c->device = there->device;
	__builtin_memcpy(c->mac, there->mac, ETH_ALEN);
	return DROP_NONE;
}

static __always_inline int lead_to_resolver(struct course *c, const struct settings *settings)
{
	if (is_icmp(c->key.protocol) || c->key.destination_port != bpf_htons(RESOLVER_PORT))
		return DROP_NO_LISTENER;
	return lead_to_service(c, settings, settings->resolver);
}

static __always_inline int lead_to_metadata(struct course *c, const struct settings *settings)
{
	if (c->key.protocol != IPPROTO_TCP || c->key.destination_port != bpf_htons(METADATA_PORT))
		return DROP_NO_LISTENER;
	return lead_to_service(c, settings, settings->metadata);
}

/* A health check, or the gateway: from the service namespace to a target, as the balancer. */
static __always_inline int judge_probe(struct course *c, const struct settings *settings)
{
	__u32 offset = bpf_ntohl(c->key.destination.word[3]) - settings->probe_base;
	struct interface *node;
	struct probe *probe;

	in_service(&c->service, settings, &c->key.destination, c->key.destination.word[3]);
	if (is_icmp(c->key.protocol) || offset >= PROBE_RANGE || !same_address(&c->service, &c->key.destination))
		return DROP_NO_ROUTE;
	probe = bpf_map_lookup_elem(&probes, &offset);
	if (!probe || is_ipv4(&probe->address) != is_ipv4(&c->service))
		return DROP_NO_ROUTE;
	node = interface_of(probe->node);
	if (!node)
		return DROP_NO_ROUTE;
	c->idle_seconds = probe->idle_seconds;
	return lead_to_target(c, probe->node, node, &probe->address, probe->interface, c->key.destination_port);
}

static __always_inline int judge_workload(struct course *c, const struct settings *settings)
{
	struct place *place = place_of(c->key.vpc, &c->key.destination);
	struct interface *there = NULL;
	int reason;

	if (place && place->kind == PLACE_RESOLVER)
		return lead_to_resolver(c, settings);
	if (place && place->kind == PLACE_METADATA)
		return lead_to_metadata(c, settings);
	if (place && place->kind == PLACE_INTERFACE) {
		c->receiver = place->interface;
		there = interface_of(place->interface);
	}
	if (!admits(&c->search, c->sender_groups, RULE_EGRESS, &c->key.destination, there ? there->groups : 0))
		return DROP_EGRESS_DENIED;
	c->egress_rule = c->search.id;
	c->first.from = c->sender_subnet;
	c->first.to = there ? there->subnet : 0;
	c->first.source = c->key.source;
	c->first.destination = c->key.destination;
	c->first.sender = c->sender;
	c->first.receiver = there ? c->receiver : 0;
	c->first.redirects = 1;
	reason = cross(c, &c->first);
	if (reason)
		return reason;
	if (c->first.receiver && c->first.receiver != c->receiver) {
		c->receiver = c->first.receiver;
		there = interface_of(c->receiver);
		c->redirected = there && there->kind == INTERFACE_WORKLOAD;
	}
	if (!there)
		return DROP_NO_ROUTE;
	/* A rule that names a group means the addresses of its members, so nobody's on whose behalf they send. */
	if (!admits(&c->search, there->groups, RULE_INGRESS, &c->key.source,
		    c->key.forwarded ? 0 : c->sender_groups))
		return DROP_INGRESS_DENIED;
	c->ingress_rule = c->search.id;
	switch (there->kind) {
	case INTERFACE_WORKLOAD:
		return lead_to_workload(c, there);
	case INTERFACE_ENDPOINT:
		return lead_through_endpoint(c, settings);
	case INTERFACE_BALANCER:
		return lead_through_balancer(c, settings, c->receiver, there);
	case INTERFACE_INTERNET:
		return lead_out(c, settings, c->receiver, &c->key.source);
	case INTERFACE_NAT:
		return lead_through_nat(c, settings, there);
	default:
		return DROP_NO_ROUTE;
	}
}

/* What of `c` is given is said at its definition. Not static for the verifier's sake, as `admits` is. */
__noinline int judge(struct course *c, const struct settings *settings)
{
	int reason;

	if (!c || !settings)
		return DROP_NO_ROUTE;

	c->search.protocol = c->key.protocol;
	c->search.port = is_icmp(c->key.protocol) ? echo_request(c->key.protocol)
						  : bpf_ntohs(c->key.destination_port);
	c->search.id = 0;
	c->shared_source = 0;
	c->client = c->sender;
	c->receiver = 0;
	c->via = 0;
	c->counter = 0;
	c->idle_seconds = 0;
	c->egress_rule = 0;
	c->ingress_rule = 0;
	c->refused = 0;
	c->redirected = 0;
	c->first.from = c->first.to = 0;
	c->second.from = c->second.to = 0;
	if (c->key.vpc == SERVICE_VPC)
		reason = judge_probe(c, settings);
	else
		reason = judge_workload(c, settings);
	if (!reason && !c->device)
		reason = DROP_NOT_DELIVERED;
	/* Where an ACL or a route had refused it before, that comes first. */
	return reason && c->refused ? c->refused : reason;
}

#endif
