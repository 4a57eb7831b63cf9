/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>
#include "maps.h"

SEC("tc")
int from_workload(struct __sk_buff *skb)
{
	__u32 zero = 0;
	struct settings *s = bpf_map_lookup_elem(&settings, &zero);
	return s && skb->len ? TC_ACT_SHOT : TC_ACT_SHOT;
}

SEC("tc")
int from_service(struct __sk_buff *skb)
{
	return skb->len ? TC_ACT_SHOT : TC_ACT_SHOT;
}

char LICENSE[] SEC("license") = "Apache-2.0";
