/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables. Userspace writes all of them but `flows`, `fragments`, `shares`, `drops`, `traffic`, `events` and the two that
 * belong to one CPU each; it pins them by name, so that they outlive it.
 *
 * Nothing is preallocated but what belongs to a CPU: memory follows what exists, and a limit is only a limit. The limits stand far
 * above what one machine can hold in namespaces, and at 262,144 interfaces, most of them endpoints' and without a
 * device; except that of flows, which is meant to be met under attack: 1,048,576 pairs.
 */
#ifndef LINKWAY_MAPS_H
#define LINKWAY_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "layout.h"

#define MAX_DEVICES 65536
#define MAX_INTERFACES 262144
#define MAX_FLOW_ENTRIES 2097152

#define HASH_TABLE(name, key_type, value_type, entries)                                                     \
	struct {                                                                                            \
		__uint(type, BPF_MAP_TYPE_HASH);                                                            \
		__uint(map_flags, BPF_F_NO_PREALLOC);                                                       \
		__uint(max_entries, entries);                                                               \
		__type(key, key_type);                                                                      \
		__type(value, value_type);                                                                  \
	} name SEC(".maps")

#define COUNTER_TABLE(name, key_type, value_type, entries)                                                  \
	struct {                                                                                            \
		__uint(type, BPF_MAP_TYPE_PERCPU_HASH);                                                     \
		__uint(map_flags, BPF_F_NO_PREALLOC);                                                       \
		__uint(max_entries, entries);                                                               \
		__type(key, key_type);                                                                      \
		__type(value, value_type);                                                                  \
	} name SEC(".maps")

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct settings);
} settings SEC(".maps");

HASH_TABLE(ports, __u32, struct port, MAX_DEVICES);
HASH_TABLE(interfaces, __u32, struct interface, MAX_INTERFACES);
HASH_TABLE(places, struct place_key, struct place, 2 * MAX_INTERFACES);
HASH_TABLE(members, struct member_key, __u32, 16 * MAX_DEVICES);
HASH_TABLE(rulesets, struct ruleset_key, struct ruleset, 2 * MAX_INTERFACES);
HASH_TABLE(rules, struct rule_key, struct rule_chunk, 8 * MAX_DEVICES);
HASH_TABLE(subnets, __u64, struct subnet, MAX_DEVICES);
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4 * MAX_DEVICES);
	__type(key, struct route_key);
	__type(value, struct route);
} routes SEC(".maps");
HASH_TABLE(endpoints, __u32, struct endpoint, MAX_INTERFACES);
HASH_TABLE(listeners, struct listener_key, struct listener, 2 * MAX_INTERFACES);
HASH_TABLE(targets, struct target_key, struct target, 16 * MAX_DEVICES);
HASH_TABLE(probes, __u32, struct probe, 16 * MAX_DEVICES);
HASH_TABLE(flows, struct flow_key, struct flow, MAX_FLOW_ENTRIES);
HASH_TABLE(fragments, struct fragment_key, struct fragment, 16 * MAX_DEVICES);
HASH_TABLE(shares, __u32, struct share, 2 * MAX_DEVICES);

COUNTER_TABLE(drops, struct drop_key, struct count, 16 * MAX_DEVICES);

/* An array, so preallocated: 10 MiB a CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, MAX_INTERFACES);
	__type(key, __u32);
	__type(value, struct traffic);
} traffic SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} events SEC(".maps");

/* What may still be told of drops on this CPU: see drop.h. */
struct allowance {
	__u64 nanoseconds; /* saved up; one event costs a second / EVENTS_PER_SECOND */
	__u64 updated;     /* nanoseconds by CLOCK_MONOTONIC */
	__u32 suppressed;  /* events left out since the last one that was sent */
	__u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct allowance);
} allowances SEC(".maps");

/*
 * The compiler keeps type information only of what is used, and the tables hold enums as plain numbers.
 * This names each, so that Rust gets the same ones; the programs never read it.
 */
const volatile struct vocabulary {
	enum drop_reason drop_reason;
	enum interface_kind interface_kind;
	enum interface_flag interface_flag;
	enum place_kind place_kind;
	enum place_flag place_flag;
	enum route_kind route_kind;
	enum rule_direction rule_direction;
	enum peer_kind peer_kind;
	enum endpoint_state endpoint_state;
	enum endpoint_flag endpoint_flag;
	enum listener_flag listener_flag;
	enum flow_flag flow_flag;
	enum idle_seconds idle_seconds;
	struct drop_event drop_event;
	struct collection collection;
	struct correction correction;
	__u32 layout_version;
	__u32 rules_per_chunk;
	__u32 events_per_second;
} vocabulary = {
	.layout_version = LAYOUT_VERSION,
	.rules_per_chunk = RULES_PER_CHUNK,
	.events_per_second = EVENTS_PER_SECOND,
};

#endif
