/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packet path: one program at tc ingress of every host end of a veth. It decides, rewrites and delivers
 * straight into the receiver's namespace. No bridge, no routing table, no netfilter; a VPC is a number in
 * the key of every table. parse.h, carry.h, flow.h, judge.h, endpoint.h and uplink.h follow a packet, in this order.
 *
 * from_workload stands at the host ends of workloads, from_service at that of the daemon's own namespace. Where there
 * is an uplink, from_uplink stands at this end of the pair that leads there. The daemon runs upkeep.h's programs.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

#include "arp.h"
#include "carry.h"
#include "drop.h"
#include "neighbour.h"
#include "reset.h"
#include "upkeep.h"

/* The packet's room on this CPU, made fresh, with the settings that hold for all of its way. */
static __always_inline struct packet *packet_of(struct __sk_buff *skb)
{
	__u32 zero = 0;
	struct packet *p = bpf_map_lookup_elem(&packets, &zero);
	struct settings *current = bpf_map_lookup_elem(&settings, &zero);

	if (!p || !current)
		return NULL;
	p->settings = *current;
	__builtin_memset(&p->key, 0, sizeof(p->key));
	p->now = bpf_ktime_get_coarse_ns();
	p->interface = 0;
	p->tcp_flags = 0;
	p->icmp_type = 0;
	p->ipv6 = 0;
	p->is_error = 0;
	p->fragment = FRAGMENT_NONE;
	p->reset = RESET_NEVER;
	p->segments = skb->gso_segs ? skb->gso_segs : 1;
	p->other = 0;
	p->rule = 0;
	return p;
}

/* Who sends: told by the device, so that nothing in the packet can say otherwise. */
static __always_inline int recognise_workload(struct __sk_buff *skb, struct packet *p)
{
	__u32 device = skb->ifindex;
	struct port *port = bpf_map_lookup_elem(&ports, &device);

	if (!port)
		return DROP_UNKNOWN_PORT;
	p->interface = port->interface;
	p->key.vpc = port->vpc;
	p->groups = port->groups;
	p->subnet = port->subnet;
	p->flags = port->flags;
	p->prefix = port->prefix;
	__builtin_memcpy(p->mac, port->mac, ETH_ALEN);
	return DROP_NONE;
}

/* The daemon's own namespace: trusted, and without groups. */
static __always_inline void recognise_service(struct packet *p)
{
	p->key.vpc = SERVICE_VPC;
	p->groups = 0;
	p->subnet = 0;
	p->flags = 0;
	p->prefix = 0;
	__builtin_memcpy(p->mac, p->settings.service_mac, ETH_ALEN);
}

/* What is beyond the uplink: without groups, and in no subnet. */
static __always_inline void recognise_uplink(struct packet *p)
{
	p->key.vpc = UPLINK_VPC;
	p->interface = UPLINK_INTERFACE;
	p->groups = 0;
	p->subnet = 0;
	p->flags = 0;
	p->prefix = 0;
	__builtin_memcpy(p->mac, p->settings.uplink_mac, ETH_ALEN);
}

static __noinline int refuse(struct __sk_buff *skb, struct packet *p, __u32 reason)
{
	count_drop(skb, p, reason);
	if (wants_reset(p) && !turn_into_reset(skb, p))
		return bpf_redirect(skb->ifindex, 0);
	return TC_ACT_SHOT;
}

/* The end of a packet's way, whose key is known unless there is a reason to go no further. */
static __always_inline int send_on(struct __sk_buff *skb, struct packet *p, int reason)
{
	if (!reason && p->fragment == FRAGMENT_LATER)
		reason = follow_first(p);
	if (!reason)
		reason = carry(skb, p);
	if (reason)
		return refuse(skb, p, reason);
	return bpf_redirect_peer(p->device, 0);
}

static __always_inline int handle(struct __sk_buff *skb, struct packet *p)
{
	int reason;

	if (is_arp(skb)) {
		reason = answer_arp(skb, p);
		if (reason)
			return refuse(skb, p, reason);
		return bpf_redirect(skb->ifindex, 0);
	}
	reason = parse(skb, p);
	if (reason == DROP_UNSUPPORTED_PROTOCOL && is_housekeeping(skb, p))
		reason = DROP_LINK_HOUSEKEEPING;
	if (!reason && solicits_neighbour(p)) {
		reason = answer_neighbour(skb, p);
		if (!reason)
			return bpf_redirect(skb->ifindex, 0);
	}
	if (!reason && (p->flags & INTERFACE_SOURCE_CHECK) && !from_own_mac(skb, p))
		reason = DROP_SPOOFED_SOURCE;
	if (!reason && p->is_error)
		reason = take_key_of_inside(skb, p);
	else if (!reason)
		p->key.forwarded = is_forwarded(p);
	return send_on(skb, p, reason);
}

SEC("tc")
int from_workload(struct __sk_buff *skb)
{
	struct packet *p = packet_of(skb);
	int reason;

	if (!p)
		return TC_ACT_SHOT;
	reason = recognise_workload(skb, p);
	if (reason)
		return refuse(skb, p, reason);
	return handle(skb, p);
}

SEC("tc")
int from_service(struct __sk_buff *skb)
{
	struct packet *p = packet_of(skb);

	if (!p)
		return TC_ACT_SHOT;
	recognise_service(p);
	return handle(skb, p);
}

SEC("tc")
int from_uplink(struct __sk_buff *skb)
{
	struct packet *p = packet_of(skb);
	int reason;

	if (!p)
		return TC_ACT_SHOT;
	recognise_uplink(p);
	reason = parse(skb, p);
	restore_source(p);
	if (!reason && p->is_error)
		reason = DROP_UNSUPPORTED_PROTOCOL;
	return send_on(skb, p, reason);
}

char LICENSE[] SEC("license") = "Apache-2.0";
