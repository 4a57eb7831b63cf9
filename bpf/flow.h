/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flows: what has been let in once, both ways.
 *
 * A flow is a pair of entries, one a direction, each with the other's key in it. Only a first packet makes
 * a pair (TCP: a SYN alone), after it was judged; late FINs and stray RSTs find nothing and make nothing.
 * Both entries come and go together: the reverse one is inserted first, with BPF_NOEXIST, since its key is
 * the one that two CPUs may want at once (the balancer's port); where the forward one then fails, it is
 * taken back.
 *
 * Time-outs are AWS's for endpoints: 350 s idle for TCP, 120 s for UDP. Short: 30 s for what was never
 * answered, what is closing (FIN both ways, or RST) and ICMP. Idle means neither direction; the other's
 * entry is only looked at when this one's time is up. A packet of an expired flow finds it gone, even
 * where the collector has not come by yet.
 *
 * What is known of a flow in both directions (answered, closing, judged under which epoch) is kept in both
 * entries, so that a packet needs one look-up.
 *
 * Races, and their worst outcome. An entry that is removed while another CPU uses it: its
 * memory may at once be a new flow's, as the kernel waits for no reader; the new flow's counters and flags are
 * touched, and a packet whose CPU was stopped between its look-up and its rewrite could follow the new
 * flow. Two CPUs that see the first packet of one flow: whoever inserts the forward entry later goes by the
 * other's. The collector removes a pair while its sender opens it anew: the new flow lacks an entry, and
 * its sender's next SYN puts that right.
 *
 * Not handled: sequence numbers.
 */
#ifndef LINKWAY_FLOW_H
#define LINKWAY_FLOW_H

#include "count.h"
#include "judge.h"
#include "share.h"

#define PORT_TRIES 33 /* the sender's own, and 32 others */
#define FIRST_PORT 1024
#define LAST_PORT 65535

#define EEXIST 17
#define E2BIG 7
#define ENOMEM 12

static __always_inline __u64 time_out(const struct flow *flow, __u8 protocol)
{
	if (protocol == IPPROTO_TCP && (flow->flags & (FLOW_ESTABLISHED | FLOW_CLOSING)) != FLOW_ESTABLISHED)
		return IDLE_SHORT * SECOND;
	return flow->idle_seconds * SECOND;
}

/* Signed, as another CPU may have seen a packet later than `now`. */
static __always_inline int is_past(__u64 now, __u64 seen, __u64 limit)
{
	return (__s64)(now - seen) > (__s64)limit;
}

/* The other entry of the flow that has `flow` under `key`; null if it was lost. */
static __always_inline struct flow *other_half(const struct flow_key *key, const struct flow *flow)
{
	struct flow *other = bpf_map_lookup_elem(&flows, &flow->peer);

	return other && same_key(&other->peer, key) ? other : NULL;
}

/* Idle both ways for longer than its time-out? */
static __always_inline int expired(const struct flow_key *key, const struct flow *flow, __u64 now)
{
	__u64 limit = time_out(flow, key->protocol);
	struct flow *other;

	if (!is_past(now, flow->seen, limit))
		return 0;
	other = other_half(key, flow);
	return !other || is_past(now, other->seen, limit);
}

/* How many entries it removed. */
static __noinline int remove_pair(const struct flow_key *key, struct flow *flow)
{
	struct flow *other = other_half(key, flow);
	struct flow_key peer = flow->peer;
	int removed = remove_entry(key, flow);

	return other ? removed + remove_entry(&peer, other) : removed;
}

/* EBUSY, and why errors are 32 bits: see delete_entry. */
static __always_inline int insert(const struct flow_key *key, const struct flow *flow)
{
	int error = 0;
	int i;

	for (i = 0; i < INSERT_TRIES; i++) {
		error = bpf_map_update_elem(&flows, key, flow, BPF_NOEXIST);
		if (error != -EBUSY)
			break;
	}
	return error;
}

static __always_inline int insertion_failed(int error)
{
	return error == -E2BIG || error == -ENOMEM ? DROP_FLOW_TABLE_FULL : DROP_FLOW_TABLE_BUSY;
}

/*
 * Inserts the reverse entry, also over one that is there but need not be: the other half of this very flow
 * (another CPU is opening it, or lost it), or one whose time is up.
 */
static __always_inline int claim(struct packet *p)
{
	int error = insert(&p->reverse_key, &p->reverse);
	struct flow *old;

	if (error != -EEXIST)
		return error;
	old = bpf_map_lookup_elem(&flows, &p->reverse_key);
	if (old) {
		/* It has a share if both ends open this flow at once: then it stays, and serves as well. */
		if (same_key(&old->peer, &p->key))
			return old->flags & FLOW_FORWARD
				       ? 0
				       : bpf_map_update_elem(&flows, &p->reverse_key, &p->reverse, BPF_ANY);
		if (!expired(&p->reverse_key, old, p->now))
			return error;
		remove_pair(&p->reverse_key, old);
	}
	return insert(&p->reverse_key, &p->reverse);
}

/* For bpf_loop: tries to insert the reverse entry under a port of the balancer's. 1 ends it. */
struct port_search {
	struct packet *packet;
	int error;
};

static long try_port(__u32 index, struct port_search *search)
{
	struct packet *p = search->packet;

	if (index)
		p->reverse_key.destination_port =
			bpf_htons(FIRST_PORT + bpf_get_prandom_u32() % (LAST_PORT - FIRST_PORT + 1));
	search->error = claim(p);
	return search->error != -EEXIST;
}

/* Finds the reverse entry's place: its key holds the source and the port that the receiver will see. */
static __noinline int insert_reverse(struct packet *p)
{
	struct port_search search = { .packet = p };

	bpf_loop(p->course.shared_source ? PORT_TRIES : 1, try_port, &search, 0);
	if (search.error == -EEXIST && p->course.shared_source)
		return DROP_SOURCE_PORTS_EXHAUSTED;
	return search.error ? insertion_failed(search.error) : DROP_NONE;
}

static __always_inline __u32 idle_seconds(const struct course *c)
{
	if (is_icmp(c->key.protocol))
		return IDLE_SHORT;
	if (c->idle_seconds)
		return c->idle_seconds;
	return c->key.protocol == IPPROTO_TCP ? IDLE_TCP : IDLE_UDP;
}

/* Makes the pair for a packet that was judged. `device` is the sender's own. */
static __noinline int open_flow(struct packet *p, __u32 device)
{
	struct flow *forward = &p->forward, *reverse = &p->reverse, *there;
	struct course *c = &p->course;
	int reason, error;

	__builtin_memset(forward, 0, sizeof(*forward));
	forward->device = c->device;
	forward->epoch = p->settings.epoch;
	forward->seen = p->now;
	forward->sender = c->sender;
	forward->receiver = c->receiver;
	forward->via = c->via;
	forward->counter = c->counter;
	forward->idle_seconds = idle_seconds(c);
	forward->egress_rule = c->egress_rule;
	forward->ingress_rule = c->ingress_rule;
	__builtin_memcpy(forward->mac, c->mac, ETH_ALEN);
	forward->flags = FLOW_FORWARD;

	*reverse = *forward;
	reverse->peer = p->key;
	reverse->device = device;
	reverse->sender = c->receiver;
	reverse->receiver = c->sender;
	__builtin_memcpy(reverse->mac, p->mac, ETH_ALEN);
	reverse->flags = 0;

	__builtin_memset(&p->reverse_key, 0, sizeof(p->reverse_key));
	p->reverse_key.vpc = c->vpc;
	p->reverse_key.protocol = p->key.protocol;
	p->reverse_key.forwarded = c->redirected;
	p->reverse_key.source = c->destination;
	p->reverse_key.destination = c->source;
	p->reverse_key.source_port = c->destination_port;
	p->reverse_key.destination_port = p->key.source_port;

	reason = take_share(p);
	if (reason)
		return reason;
	reason = insert_reverse(p);
	if (reason) {
		give_share(p);
		return reason;
	}
	/* No answer can come before this packet has been delivered. */
	reason = returns(c, p->reverse_key.destination_port);
	there = reason ? bpf_map_lookup_elem(&flows, &p->reverse_key) : NULL;
	if (there)
		there->refused = reason;
	forward->peer = p->reverse_key;
	error = insert(&p->key, forward);
	if (error) {
		give_share(p);
		there = error == -EEXIST ? bpf_map_lookup_elem(&flows, &p->key) : NULL;
		if (!there || !same_key(&there->peer, &p->reverse_key))
			delete_entry(&p->reverse_key);
		return there ? DROP_NONE : insertion_failed(error);
	}
	count_flow(c->counter);
	return DROP_NONE;
}

#endif
