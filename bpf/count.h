/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What went through an endpoint, by its interface: exact, a value a CPU. Consumers' packets are what it
 * received. Every packet pays for this: so the table is an array, the flow knows its row, and flows between
 * workloads count in their own entries only.
 *
 * A frame may stand for several packets that only a wire would see; those are what is counted. Bytes are
 * the frame's as it was handed over, Ethernet header included, without the headers that segmentation would
 * repeat.
 */
#ifndef LINKWAY_COUNT_H
#define LINKWAY_COUNT_H

#include "packet.h"

/* Row 0 is nobody's: of flows through no endpoint. */
static __always_inline struct traffic *traffic_of(__u32 counter)
{
	return counter ? bpf_map_lookup_elem(&traffic, &counter) : NULL;
}

static __always_inline void add(struct count *count, const struct packet *p, __u32 bytes)
{
	count->packets += p->segments;
	count->bytes += bytes;
}

static __always_inline void count_traffic(const struct packet *p, const struct flow *flow, __u32 bytes)
{
	struct traffic *counters = traffic_of(flow->counter);

	if (counters)
		add(flow->flags & FLOW_FORWARD ? &counters->received : &counters->sent, p, bytes);
}

static __always_inline void count_flow(__u32 counter)
{
	struct traffic *counters = traffic_of(counter);

	if (counters)
		counters->flows++;
}

#endif
