/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nothing is dropped without a reason.
 *
 * Counters, one a sender's interface and reason, are exact: a value a CPU, so that nobody waits for
 * anybody. Events carry the packet's key to userspace; they are a sample, as a flood of refused packets
 * must not cost a CPU of userspace, and leave out housekeeping (link.h). Each CPU saves up an allowance by the
 * clock, a second's worth at most, and an event takes its price from it; what could not be afforded, or found no
 * room in the ring, is told as a number with the next event.
 */
#ifndef LINKWAY_DROP_H
#define LINKWAY_DROP_H

#include "packet.h"

#define EVENT_PRICE (SECOND / EVENTS_PER_SECOND)

static __always_inline void tell_drop(struct __sk_buff *skb, const struct packet *p, __u32 reason)
{
	__u32 zero = 0;
	struct allowance *allowance = bpf_map_lookup_elem(&allowances, &zero);
	struct drop_event *event;

	if (!allowance)
		return;
	allowance->nanoseconds += p->now - allowance->updated;
	allowance->updated = p->now;
	if (allowance->nanoseconds > SECOND)
		allowance->nanoseconds = SECOND;
	if (allowance->nanoseconds < EVENT_PRICE) {
		allowance->suppressed++;
		return;
	}
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		allowance->suppressed++;
		return;
	}
	__builtin_memset(event, 0, sizeof(*event));
	event->time = p->now;
	event->key = p->key;
	event->interface = p->interface;
	event->reason = reason;
	event->other = p->other;
	event->rule = p->rule;
	event->length = skb->len;
	event->suppressed = allowance->suppressed;
	allowance->suppressed = 0;
	allowance->nanoseconds -= EVENT_PRICE;
	bpf_ringbuf_submit(event, 0);
}

/* Counts and tells the drop. The packet's end is the caller's. */
static __noinline void count_drop(struct __sk_buff *skb, const struct packet *p, __u32 reason)
{
	struct drop_key key = { .interface = p->interface, .reason = reason };
	struct count *count = bpf_map_lookup_elem(&drops, &key);

	if (!count) {
		struct count none = {};

		/* Another CPU may just have made it: then theirs stands, and ours is counted in it. */
		bpf_map_update_elem(&drops, &key, &none, BPF_NOEXIST);
		count = bpf_map_lookup_elem(&drops, &key);
	}
	if (count) {
		count->packets += p->segments;
		count->bytes += skb->len;
	}
	if (reason != DROP_LINK_HOUSEKEEPING)
		tell_drop(skb, p, reason);
}

#endif
