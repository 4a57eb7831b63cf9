/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way out of a VPC: by an internet gateway, or by a NAT gateway and then an internet gateway, where the operator
 * has named an uplink.
 *
 * An internet gateway takes what comes from a private address that an elastic address stands for, a NAT gateway what
 * comes from anywhere in its VPC, as its own; then the gateway's own address needs an elastic one (AWS, "Internet
 * gateways", "NAT gateways"). Neither takes anything to an address that nobody has on the internet: AWS's drops
 * that, and here it would be the operator's own network.
 *
 * Where the route table of a NAT gateway's subnet leads to a gateway endpoint, the NAT gateway is the endpoint's client.
 *
 * All of it leaves from one address, as VPCs may have the same addresses; where two flows want the same port of it,
 * one gets another, as towards a balancer's target. Nothing comes in but answers.
 *
 * That address is none (0.0.0.0/8): the host's kernel drops what comes from there, wherever it goes. Only the table of
 * nftables that we give the host makes an address of it, once it has seen that the packet is going out of the uplink,
 * and the uplink's own address in the end (crates/fabric/src/firewall.rs). So if somebody flushes the host's
 * firewall, nothing gets into the host by this way, and nothing through.
 *
 * Not handled: IPv6; elastic addresses on the wire; ways in from outside.
 */
#ifndef LINKWAY_UPLINK_H
#define LINKWAY_UPLINK_H

#include "endpoint.h"

struct ipv4_range {
	__u32 network; /* host order */
	__u32 prefix;
};

/*
 * Is the IPv4 address nobody's on the internet? IANA's registry of special-purpose addresses (RFC 6890) where it says "not
 * globally reachable", but for the three that are for documentation; multicast; and what is reserved.
 */
static __always_inline int is_private(const struct address *address)
{
	static const struct ipv4_range ranges[] = {
		{ 0x00000000, 8 },  /* this network */
		{ 0x0a000000, 8 },  /* private use */
		{ 0x64400000, 10 }, /* shared between a provider and its customers */
		{ 0x7f000000, 8 },  /* loopback */
		{ 0xa9fe0000, 16 }, /* link-local */
		{ 0xac100000, 12 }, /* private use */
		{ 0xc0000000, 24 }, /* IETF's protocols */
		{ 0xc0a80000, 16 }, /* private use */
		{ 0xc6120000, 15 }, /* benchmarks; and elastic addresses here */
		{ 0xe0000000, 3 },  /* multicast, reserved, broadcast */
	};
	__u32 ip = bpf_ntohl(address->word[3]);
	__u32 i;

#pragma unroll
	for (i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
		if (!((ip ^ ranges[i].network) >> (32 - ranges[i].prefix)))
			return 1;
	}
	return 0;
}

/* The end of the way: out, through the gateway of this number. An elastic address has to stand for `source`. */
static __always_inline int lead_out(struct course *c, const struct settings *settings, __u32 gateway,
				    const struct address *source)
{
	struct endpoint *way = open_endpoint(gateway);
	struct place *place;

	if (!is_ipv4(&c->key.destination))
		return DROP_NO_UPLINK;
	if (is_private(&c->key.destination))
		return DROP_PRIVATE_DESTINATION;
	if (!settings->uplink_device || !way)
		return DROP_NO_UPLINK;
	place = place_of(c->key.vpc, source);
	if (!place || !(place->flags & PLACE_PUBLIC))
		return DROP_NO_PUBLIC_ADDRESS;
	mapped(&c->source, settings->uplink_source);
	c->destination = c->key.destination;
	c->destination_port = c->key.destination_port;
	c->shared_source = 1;
	c->idle_seconds = IDLE_UPLINK;
	c->vpc = UPLINK_VPC;
	c->receiver = UPLINK_INTERFACE;
	c->via = gateway;
	c->counter = way->counter;
	c->device = settings->uplink_device;
	__builtin_memcpy(c->mac, settings->uplink_mac, ETH_ALEN);
	return DROP_NONE;
}

/*
 * `nat` is the receiver: it sends on, by the route table of its own subnet, to an internet gateway or to a gateway
 * endpoint.
 */
static __always_inline int lead_through_nat(struct course *c, const struct settings *settings,
					    const struct interface *nat)
{
	struct interface *gateway;
	int reason;

	if (!is_ipv4(&c->key.destination))
		return DROP_NO_UPLINK;
	c->second.from = nat->subnet;
	c->second.to = 0;
	c->second.source = nat->address;
	c->second.destination = c->key.destination;
	c->second.sender = c->receiver;
	c->second.receiver = 0;
	c->second.redirects = 1;
	reason = cross(c, &c->second);
	if (reason)
		return reason;
	gateway = interface_of(c->second.receiver);
	if (gateway && c->second.to == SUBNET_OUTSIDE && gateway->kind == INTERFACE_ENDPOINT) {
		if (!open_endpoint(c->receiver))
			return DROP_NO_UPLINK;
		c->client = c->receiver;
		c->receiver = c->second.receiver;
		return lead_through_endpoint(c, settings);
	}
	if (!gateway || gateway->kind != INTERFACE_INTERNET)
		return DROP_NO_UPLINK;
	return lead_out(c, settings, c->receiver, &nat->address);
}

/* Answers come to the address that the host knows. */
static __always_inline void restore_source(struct packet *p)
{
	if (p->key.destination.word[3] == p->settings.uplink_address)
		p->key.destination.word[3] = p->settings.uplink_source;
}

#endif
