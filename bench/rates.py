#!/usr/bin/env python3
"""What the gateway decides a second, on one CPU: policies evaluated, beside other crates, and signatures checked.

All evaluate the same requests by the same policy, of four statements with seven conditions, which each has read
beforehand. Rounds and ratios are those of `report`.
"""

import argparse
import re
from dataclasses import dataclass

import report
from networks import SERVER_CPU, on_cpu, run

BASE = "linkway-policy"
PEERS = report.ROOT / "target/policy-peers/release/policy-peers"
REQUESTS = ("allowed", "allowed twice", "not allowed", "denied")


@dataclass
class Subject:
    """A crate."""

    name: str


def printed(*command):
    """What a program prints: names and how often a second."""
    answer = run(*on_cpu(SERVER_CPU, *command), cwd=report.ROOT)
    return {name: float(rate) for name, rate in re.findall(r"^(.*?)\s+(\d+) a second", answer, re.MULTILINE)}


def evaluations(subject, _):
    """Policies evaluated a second, by request."""
    if subject.name == BASE:
        rates = printed("cargo", "bench", "--quiet", "--package", BASE, "--bench", "evaluate")
    else:
        rates = printed(PEERS, subject.name)
    return {f"evaluate {request}": rates[request] for request in REQUESTS}


def signatures(subject, _):
    """Signatures checked a second, with signing keys that were derived before."""
    if subject.name != BASE:
        return {}
    rates = printed("cargo", "bench", "--quiet", "--package", "linkway-wire", "--bench", "verify")
    return {"verify": rates["verify a signature"]}


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(report.machine(), flush=True)
    subjects = [Subject(name) for name in (BASE, "iam-rs", "cedar-policy")]
    measures = {measure.__name__: measure for measure in (evaluations, signatures)}
    values = report.rounds(subjects, measures, options.rounds, None)
    units = {"evaluate": "1/s", "verify": "1/s"}
    report.write("decisions", report.table(values, units, BASE, "crate"))


main()
