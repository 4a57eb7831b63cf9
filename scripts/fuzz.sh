#!/usr/bin/env bash
# Give made-up input to all that reads what strangers send, one target of fuzz/ after the other, and say what came of
# it. Usage: scripts/fuzz.sh [--keep] [TARGET…]   With --keep, what was found in this and earlier runs and reaches code
# that the corpus did not reach goes into the corpus.
#   $FUZZ_SECONDS: how long a target runs (60)
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${FUZZ_SECONDS:-60}
keep=
if [ "${1:-}" = --keep ]; then
    keep=yes
    shift
fi
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
    for program in fuzz/fuzz_targets/*.rs; do targets+=("$(basename "$program" .rs)"); done
fi

export PATH=$PWD/target/tools/bin:$PATH CXX=${CXX:-clang++}
cargo fuzz --version > /dev/null 2>&1 || cargo install --quiet --locked --root target/tools cargo-fuzz
# No sanitizer: there is no unsafe code to watch in what is fuzzed, and without one it runs faster.
build=target/fuzz
host=$(rustc -vV | sed -n 's/^host: //p')
for target in "${targets[@]}"; do
    cargo +nightly fuzz build --sanitizer none --target-dir "$build" "$target"
done

status=0
for target in "${targets[@]}"; do
    program=$build/$host/release/$target corpus=fuzz/corpus/$target found=$build/found/$target log=$build/$target.log
    mkdir -p "$found" fuzz/artifacts
    outcome=ok
    # A text target's inputs are short; no honest request is as long as what is cut here.
    "$program" "$found" "$corpus" -max_total_time="$seconds" -max_len=8192 -timeout=10 -print_final_stats=1 \
        -artifact_prefix="fuzz/artifacts/$target-" 2> "$log" > "$log.out" || outcome=FAILED
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    covered=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -1)
    printf '%-14s %-7s %10s inputs in %s s, %s edges reached, %s inputs found\n' \
        "$target" "$outcome" "${executions:-?}" "$seconds" "${covered:-?}" "$(find "$found" -type f | wc -l)"
    if [ "$outcome" = FAILED ]; then
        status=1
        grep -E 'panicked|ERROR: libFuzzer|Test unit written' -A 1 "$log" | sed 's/^/    /' || true
    elif [ -n "$keep" ]; then
        "$program" -merge=1 "$corpus" "$found" 2>> "$log" > /dev/null
    fi
done
exit "$status"
