/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What went through an endpoint, by its interface: exact, a value a CPU. Consumers' packets are what it
 * received. Flows between workloads count in their own entries only, as each look-up here is paid for by
 * every packet.
 *
 * A frame may stand for several packets that only a wire would see; those are what is counted. Bytes are
 * the frame's as it was handed over, Ethernet header included, without the headers that segmentation would
 * repeat.
 */
#ifndef LINKWAY_COUNT_H
#define LINKWAY_COUNT_H

#include "packet.h"

static __noinline struct traffic *new_traffic(__u32 interface)
{
	struct traffic none = {};

	/* Another CPU may just have made it: then that one stands. */
	bpf_map_update_elem(&traffic, &interface, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&traffic, &interface);
}

/* Null for number 0, no endpoint; and where there is no memory. */
static __always_inline struct traffic *traffic_of(__u32 interface)
{
	struct traffic *counters;

	if (!interface)
		return NULL;
	counters = bpf_map_lookup_elem(&traffic, &interface);
	return counters ? counters : new_traffic(interface);
}

static __always_inline void add(struct count *count, const struct packet *p, __u32 bytes)
{
	count->packets += p->segments;
	count->bytes += bytes;
}

static __always_inline void count_traffic(const struct packet *p, const struct flow *flow, __u32 bytes)
{
	struct traffic *counters = traffic_of(flow->via);

	if (counters)
		add(flow->flags & FLOW_FORWARD ? &counters->received : &counters->sent, p, bytes);
}

static __always_inline void count_flow(__u32 via)
{
	struct traffic *counters = traffic_of(via);

	if (counters)
		counters->flows++;
}

#endif
