#!/bin/sh
# What is tried inside of the virtual machine: the programs, packet by packet; then the daemon, its endpoints and its
# gateway, as users drive them. All of it is tried, whatever fails.
#   $LINKWAY_PATIENCE: how much slower than a machine this may be
status=0
try() { "$@" || status=1; }

ulimit -l unlimited
export LINKWAY=/run/shared/linkway LINKWAY_PATIENCE=10 LINKWAY_NOISE=1000
try $LINKWAY doctor
# What needs a real processor's speed is left out.
try /run/shared/packets --test-threads 2 --skip takes_well_under
# An endpoint, IPv6, and the way out.
try .venv/bin/python3 -m pytest -v tests/test_traffic.py tests/test_ipv6.py tests/test_uplink.py \
    -k 'only_way or (both_families and not ipv4) or private_subnet'
exit $status
