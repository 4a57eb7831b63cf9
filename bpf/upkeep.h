/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the daemon has the kernel do with flows: it walks the table, and names entries that seem idle and counts
 * that are off; here is decided and done, by the same functions as for packets, and in atomic steps.
 */
#ifndef LINKWAY_UPKEEP_H
#define LINKWAY_UPKEEP_H

#include "flow.h"

/* Removes a flow whose time is up. Returns how many entries that were. */
SEC("syscall")
int collect(struct collection *given)
{
	struct flow_key key = given->key;
	struct flow *flow = bpf_map_lookup_elem(&flows, &key);

	return flow && expired(&key, flow, given->now) ? remove_pair(&key, flow) : 0;
}

static __always_inline void adjust(struct tally *tally, __s64 surplus)
{
	if (surplus > 0)
		__sync_fetch_and_add(&tally->given, surplus);
	else
		__sync_fetch_and_add(&tally->taken, -surplus);
}

/* Corrects an interface's share. */
SEC("syscall")
int settle(struct correction *given)
{
	__u32 interface = given->interface;
	struct share *share = bpf_map_lookup_elem(&shares, &interface);

	if (!share)
		return 0;
	adjust(&share->flows, given->flows);
	adjust(&share->half_open, given->half_open);
	return 1;
}

#endif
