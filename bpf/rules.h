/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Security groups.
 *
 * An interface has a set of groups. All rules of the set's groups, one direction, make one list, and the
 * first rule of it that matches lets a flow in; where none matches it is refused. There are no rules that
 * deny, so the order only decides which rule is named. No set at all (0) means that groups do not apply.
 * A set without a list, or with an empty one, lets nothing in. (AWS, "Security group rules".)
 *
 * The entries of a network ACL are such lists, too, in the order of their numbers; some of them deny. What
 * to ask them is said in subnet.h.
 *
 * Lists are read in chunks, under a hash of their contents: a list that changes becomes another one, and
 * no packet sees half of each. Its length is bounded by AWS's quota: at most 1,000 rules an interface.
 *
 * Answers belong to their flow and are never looked up here.
 */
#ifndef LINKWAY_RULES_H
#define LINKWAY_RULES_H

#include <linux/in.h>
#include <bpf/bpf_endian.h>

#include "packet.h"

#define MAX_RULES 1024
#define ANY_ICMP 0xffff

static __always_inline int rule_matches(const struct rule *rule, const struct rule_search *search)
{
	if (rule->protocol) {
		if (rule->protocol != search->protocol)
			return 0;
		if (is_icmp(search->protocol)) {
			if (rule->from != ANY_ICMP && rule->from != search->port)
				return 0;
			if (rule->from != ANY_ICMP && rule->to != ANY_ICMP && rule->to != 0)
				return 0;
		} else if (search->port < rule->from || search->port > rule->to) {
			return 0;
		}
	}
	if (rule->peer == PEER_GROUP) {
		struct member_key key = { .groups = search->peer_groups, .group = rule->group };

		return search->peer_groups && bpf_map_lookup_elem(&members, &key);
	}
	/* A short prefix of IPv6, such as ::/0, would hold all of IPv4's addresses as the tables have them. */
	return rule->peer == PEER_CIDR && is_ipv4(&search->peer) == is_ipv4(&rule->address) &&
	       in_prefix(&search->peer, &rule->address, rule->prefix);
}

/* For bpf_loop, whose context has to lie on the stack: hence the second star. 1 ends the loop. */
static long search_chunk(__u32 chunk, struct rule_search **context)
{
	struct rule_search *search = *context;
	struct rule_key key = { .rules = search->rules, .chunk = chunk };
	struct rule_chunk *found = bpf_map_lookup_elem(&rules, &key);
	__u32 i;

	if (!found)
		return 1;
	for (i = 0; i < RULES_PER_CHUNK; i++) {
		if (chunk * RULES_PER_CHUNK + i >= search->count)
			return 1;
		if (rule_matches(&found->rule[i], search)) {
			search->found = 1;
			search->id = found->rule[i].id;
			search->denies = found->rule[i].denies;
			return 1;
		}
	}
	return 0;
}

/* Finds the first of a list that matches. `search->protocol` and `port` are the caller's to set. */
static __always_inline void find_first(struct rule_search *search, const struct ruleset *list,
				       const struct address *peer, __u64 peer_groups)
{
	search->found = 0;
	search->id = 0;
	search->denies = 0;
	search->peer = *peer;
	search->peer_groups = peer_groups;
	search->rules = list->rules;
	search->count = list->count;
	bpf_loop(MAX_RULES / RULES_PER_CHUNK, search_chunk, &search, 0);
}

/*
 * Does a rule of `groups` let this peer through? `search->protocol` and `port` are the caller's to set. Not
 * static: then the verifier checks it once, by itself, and not on each way to it, but knows no pointer to
 * be valid.
 */
__noinline int admits(struct rule_search *search, __u64 groups, __u32 direction,
			     const struct address *peer, __u64 peer_groups)
{
	struct ruleset_key key = { .groups = groups, .direction = direction };
	struct ruleset *ruleset;

	if (!search || !peer)
		return 0;
	search->id = 0;
	if (!groups)
		return 1;
	ruleset = bpf_map_lookup_elem(&rulesets, &key);
	if (!ruleset)
		return 0;
	find_first(search, ruleset, peer, peer_groups);
	return search->found;
}

#endif
