#!/bin/sh
# What is tried inside of the virtual machine: the programs, packet by packet; then the daemon, its endpoints and its
# gateway, as users drive them. All of it is tried, whatever fails.
#   $LINKWAY_PATIENCE: how much slower than a machine this may be
status=0
try() { "$@" || status=1; }

ulimit -l unlimited
export LINKWAY=/run/shared/linkway LINKWAY_PATIENCE=10
try $LINKWAY doctor
# What needs a real processor's speed is left out.
try /run/shared/packets --quiet --test-threads 2 --skip takes_well_under
try .venv/bin/python3 -m pytest -q tests/test_traffic.py tests/test_gateway.py tests/test_survival.py tests/test_isolation.py \
    -k 'only_way or neighbours or rules_are_revoked or an_own_service or again_and_again or forged_frames'
exit $status
