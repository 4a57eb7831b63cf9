/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A share of the flow table for each network interface, so that a flood from one workload costs nobody else a
 * flow: it may have so many flows open, of which so many half-open, that is, TCP that was never answered. Above
 * that its new flows are refused; what it has stays.
 *
 * A flow is its opener's. The forward entry stands for it: who inserts one has taken a place before, who deletes
 * one gives the place back, and the kernel lets only one of several succeed at either. A half-open place is given
 * back by whoever first marks the entry as answered, which is one atomic step; who deletes an entry marks it, too.
 *
 * A tally is two numbers that only grow, and what is in use is their difference. Who takes a place draws a number
 * and then looks how many were given back: so the limit holds whatever other CPUs do meanwhile. The daemon, which
 * walks the flow table anyway, can tell from the two how far a count may be off while things change, and corrects
 * what is off for certain (crates/fabric/src/shares.rs): an entry that was replaced by another one between being
 * looked up and being deleted, say.
 *
 * The service namespace (0) is counted and has no limit: what it opens is for clients, who have one. Packets of
 * an open flow touch none of this.
 */
#ifndef LINKWAY_SHARE_H
#define LINKWAY_SHARE_H

#include <linux/in.h>

#include "packet.h"

#define INSERT_TRIES 4

#define EBUSY 16

/* The interface's row, made if it has none. */
static __always_inline struct share *share_of(__u32 interface)
{
	struct share *share = bpf_map_lookup_elem(&shares, &interface);
	struct share none = {};

	if (share)
		return share;
	/* Another CPU may just have made it: then theirs stands. */
	bpf_map_update_elem(&shares, &interface, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&shares, &interface);
}

/* Takes one of `limit` places. 1: done, 0: all are taken. */
static __always_inline int take(struct tally *tally, __u32 limit)
{
	__u64 number = __sync_fetch_and_add(&tally->taken, 1);

	/* Signed, as a correction may have put it below zero. */
	if ((__s64)(number - *(volatile __u64 *)&tally->given) < (__s64)limit)
		return 1;
	__sync_fetch_and_add(&tally->given, 1);
	return 0;
}

static __always_inline void give(struct tally *tally)
{
	__sync_fetch_and_add(&tally->given, 1);
}

/* Takes what a new flow of the sender's needs. */
static __noinline int take_share(const struct packet *p)
{
	int limited = p->course.sender != 0;
	struct share *share = share_of(p->course.sender);

	if (!share)
		return DROP_FLOW_TABLE_BUSY;
	if (!take(&share->flows, limited ? p->settings.flow_share : ~0U))
		return DROP_FLOW_TABLE_SHARE;
	if (p->key.protocol != IPPROTO_TCP || take(&share->half_open, limited ? p->settings.half_open_share : ~0U))
		return DROP_NONE;
	give(&share->flows);
	return DROP_HALF_OPEN_SHARE;
}

/* Gives back what was taken for a flow that does not come to be. */
static __noinline void give_share(const struct packet *p)
{
	struct share *share = bpf_map_lookup_elem(&shares, &p->course.sender);

	if (!share)
		return;
	give(&share->flows);
	if (p->key.protocol == IPPROTO_TCP)
		give(&share->half_open);
}

/* Marks an entry, and gives back its half-open place if that is the first mark of an answer. */
static __always_inline void mark(struct flow *flow, __u8 protocol, __u32 flags)
{
	__u32 before = __sync_fetch_and_or(&flow->flags, flags);
	__u32 sender = flow->sender;
	struct share *share;

	if (protocol != IPPROTO_TCP || !(before & FLOW_FORWARD) || !(flags & ~before & FLOW_ESTABLISHED))
		return;
	share = bpf_map_lookup_elem(&shares, &sender);
	if (share)
		give(&share->half_open);
}

/*
 * Kernels before 6.15 answer EBUSY where a bucket is locked, by the collector for example. Errors are 32 bits, here and
 * in flow.h: what the helper says is so on kernels before 6.4, without its sign in the upper half.
 */
static __always_inline int delete_entry(const struct flow_key *key)
{
	int error = 0;
	int i;

	for (i = 0; i < INSERT_TRIES; i++) {
		error = bpf_map_delete_elem(&flows, key);
		if (error != -EBUSY)
			break;
	}
	return error;
}

/* Deletes an entry, with its place. 1: it was there, and is no more. */
static __noinline int remove_entry(const struct flow_key *key, struct flow *flow)
{
	__u32 sender = flow->sender, forward = flow->flags & FLOW_FORWARD;
	struct share *share;

	if (forward)
		mark(flow, key->protocol, FLOW_ESTABLISHED);
	if (delete_entry(key))
		return 0;
	share = forward ? bpf_map_lookup_elem(&shares, &sender) : NULL;
	if (share)
		give(&share->flows);
	return 1;
}

#endif
