/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From an endpoint, or from a balancer's own address, to a target or to the gateway.
 *
 * An endpoint's egress rules are never consulted: it only answers. Its balancer is the node of its zone. A
 * target is picked by a hash of the flow's key: no state, and the same target when a first packet is sent
 * again. The key is mixed until each of its bits moves every bit of the hash (clients use ports in order,
 * and a plain sum would send a whole batch to one target), and the hash's upper part scales to an index.
 *
 * The target sees the balancer's private address as the source, and its security groups are asked about
 * that one (AWS, "Target groups for your Network Load Balancers": client IP preservation has no effect on
 * traffic that comes through AWS PrivateLink).
 *
 * The node's own security groups are asked about the client's address, where the balancer says so (AWS,
 * "Update the security groups for your Network Load Balancer": inbound rules on PrivateLink traffic). A
 * client in another VPC is in none of their groups, so a rule that names a group lets none of them in.
 *
 * What takes a proxy goes to the gateway in the service namespace: AWS services, which have an endpoint and no
 * balancer, and listeners that are marked so. It sees who connects, and to what, by the two addresses.
 *
 * Not handled: client IP preservation.
 */
#ifndef LINKWAY_ENDPOINT_H
#define LINKWAY_ENDPOINT_H

#include "parse.h"
#include "rules.h"
#include "subnet.h"

#define MAX_TARGETS 1024

/* To the service namespace, as the client: the client range's address that has the number of its interface. */
static __always_inline int lead_to_service(struct course *c, const struct settings *settings, __be32 destination)
{
	in_service(&c->source, settings, &c->key.source, bpf_htonl(settings->client_base + c->client));
	in_service(&c->destination, settings, &c->key.source, destination);
	c->destination_port = c->key.destination_port;
	c->shared_source = 1;
	c->vpc = SERVICE_VPC;
	c->receiver = 0;
	c->device = settings->service_device;
	__builtin_memcpy(c->mac, settings->service_mac, ETH_ALEN);
	return DROP_NONE;
}

static __always_inline __u32 mixed(__u32 hash, __u32 word)
{
	word *= 0xcc9e2d51;
	word = (word << 15) | (word >> 17);
	word *= 0x1b873593;
	hash ^= word;
	hash = (hash << 13) | (hash >> 19);
	return hash * 5 + 0xe6546b64;
}

/* MurmurHash3 (public domain) over the key's words. */
static __always_inline __u32 hash_of(const struct flow_key *key)
{
	__u32 hash = key->vpc;
	int i;

	hash = mixed(hash, key->protocol);
#pragma unroll
	for (i = 0; i < 4; i++) {
		hash = mixed(hash, key->source.word[i]);
		hash = mixed(hash, key->destination.word[i]);
	}
	hash = mixed(hash, (__u32)key->source_port << 16 | key->destination_port);
	hash ^= hash >> 16;
	hash *= 0x85ebca6b;
	hash ^= hash >> 13;
	hash *= 0xc2b2ae35;
	return hash ^ hash >> 16;
}

/* The end of the way: the target, as seen from the balancer's `node`, whose interface has this number. */
static __always_inline int lead_to_target(struct course *c, __u32 number, const struct interface *node,
					  const struct address *address, __u32 interface, __be16 port)
{
	struct interface *there = interface_of(interface);
	int reason;

	c->source = is_ipv4(address) ? node->address : node->address6;
	c->destination = *address;
	c->destination_port = port;
	c->shared_source = 1;
	c->receiver = interface;
	if (!there)
		return DROP_NOT_DELIVERED;
	c->search.port = bpf_ntohs(port);
	c->second.from = node->subnet;
	c->second.to = there->subnet;
	c->second.source = c->source;
	c->second.destination = *address;
	c->second.sender = number;
	c->second.receiver = interface;
	c->second.redirects = 0;
	reason = cross(c, &c->second);
	if (reason)
		return reason;
	if (!admits(&c->search, there->groups, RULE_INGRESS, &c->source, node->groups))
		return DROP_TARGET_DENIED;
	c->vpc = there->vpc;
	c->device = there->device;
	__builtin_memcpy(c->mac, there->mac, ETH_ALEN);
	return DROP_NONE;
}

struct target_search {
	struct target_key key;
	struct address address;
	struct target *found;
	__u16 port;
};

/* For bpf_loop: 1 ends it. */
static long search_target(__u32 index, struct target_search *search)
{
	struct target *target;

	search->key.index = index;
	target = bpf_map_lookup_elem(&targets, &search->key);
	if (!target)
		return 1;
	if (target->port != search->port || !same_address(&target->address, &search->address))
		return 0;
	search->found = target;
	return 1;
}

static __always_inline struct target *target_of(const struct course *c, const struct listener *listener)
{
	struct target_search search = { .key.targets = listener->targets };

	if (!c->opened) {
		search.key.index = (__u64)hash_of(&c->key) * listener->count >> 32;
		return bpf_map_lookup_elem(&targets, &search.key);
	}
	search.address = c->destination;
	search.port = c->destination_port;
	bpf_loop(listener->total < MAX_TARGETS ? listener->total : MAX_TARGETS, search_target, &search, 0);
	return search.found;
}

/* `number` is the node's, whose listeners are asked. */
static __noinline int lead_through_balancer(struct course *c, const struct settings *settings, __u32 number,
					    const struct interface *node)
{
	struct listener_key key = { .node = number, .port = c->key.destination_port };
	struct listener *listener;
	struct target *target;
	__be32 name;

	key.protocol = c->key.protocol;
	listener = is_icmp(c->key.protocol) ? NULL : bpf_map_lookup_elem(&listeners, &key);
	if (!listener)
		return DROP_NO_LISTENER;
	c->idle_seconds = listener->idle_seconds;
	/* An open flow keeps its way, whatever the listener is marked by now. */
	name = bpf_htonl(settings->endpoint_base + (c->via ? c->via : number));
	in_service(&c->service, settings, &c->key.source, name);
	if (c->opened ? same_address(&c->destination, &c->service) : listener->flags & LISTENER_GATEWAY)
		return lead_to_service(c, settings, name);
	if (!c->opened && !listener->count)
		return DROP_NO_HEALTHY_TARGET;
	target = target_of(c, listener);
	if (!target)
		return c->opened ? DROP_FLOW_REVOKED : DROP_NO_HEALTHY_TARGET;
	/* From IPv4 to IPv6 and back only the gateway translates, and streams only. */
	if (is_ipv4(&target->address) != is_ipv4(&c->key.source))
		return c->key.protocol == IPPROTO_TCP ? lead_to_service(c, settings, name) : DROP_NO_HEALTHY_TARGET;
	return lead_to_target(c, number, node, &target->address, target->interface, target->port);
}

/* The endpoint, or the gateway, of this number, if packets may go through it. */
static __always_inline struct endpoint *open_endpoint(__u32 number)
{
	struct endpoint *endpoint = bpf_map_lookup_elem(&endpoints, &number);

	return endpoint && endpoint->state == ENDPOINT_AVAILABLE ? endpoint : NULL;
}

static __always_inline int lead_through_endpoint(struct course *c, const struct settings *settings)
{
	__u32 number = c->receiver;
	struct endpoint *endpoint = open_endpoint(number);
	struct interface *node;

	c->via = number;
	if (!endpoint)
		return DROP_ENDPOINT_UNAVAILABLE;
	c->counter = endpoint->counter;
	node = interface_of(endpoint->node);
	if (!node)
		return DROP_NO_LISTENER;
	if (endpoint->flags & ENDPOINT_ASKS_BALANCER &&
	    !admits(&c->search, node->groups, RULE_INGRESS, &c->key.source, 0))
		return DROP_BALANCER_DENIED;
	return lead_through_balancer(c, settings, endpoint->node, node);
}

#endif
