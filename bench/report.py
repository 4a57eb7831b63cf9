"""What every benchmark shares: rounds through all subjects in turn, a table of medians and ratios, rows for programs.

A ratio is that of one round, so that a machine that slows down slows down all subjects alike; what is printed is the
median of rounds, with the lowest and the highest.
"""

import json
import os
import platform
import signal
import statistics
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def machine():
    """What this was measured on."""
    with open("/proc/cpuinfo", encoding="ascii") as text:
        model = next(line.split(":")[1].strip() for line in text if line.startswith("model name"))
    return f"{os.cpu_count()} × {model}, Linux {platform.release()}"


def begin():
    """Say what this is measured on; and have everything taken down, however this is told to end."""
    for name in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, lambda *_: sys.exit(130))
    print(machine(), flush=True)


def rounds(subjects, measures, number, seconds):
    """(measure, subject's name) -> a value a round. `measures`: name -> a function of a subject and seconds, which
    returns values by their names."""
    values = {}
    for done in range(1, number + 1):
        for run in measures.values():
            for subject in subjects:
                for measured, value in run(subject, seconds).items():
                    values.setdefault((measured, subject.name), []).append(value)
        print(f"round {done} of {number} done", flush=True)
    return values


def table(values, units, base, kind="network"):
    """Print medians, with ratios to the subject named `base`, and return them as rows. `units`: by a measure's first
    word."""
    rows = []
    print(f"\n{'measure':<24}{kind:<20}{'median':>14} {'unit':<7}{'of ' + base:>18}  {'lowest … highest'}")
    names = list(dict.fromkeys(name for name, _ in values))
    for (name, subject), measured in sorted(values.items(), key=lambda item: names.index(item[0][0])):
        unit = units[name.split()[0]]
        ratios = [value / of for value, of in zip(measured, values[name, base])]
        row = {
            "name": name, "subject": subject, "value": statistics.median(measured), "unit": unit,
            "ratio_to": base, "ratio": statistics.median(ratios), "ratio_min": min(ratios), "ratio_max": max(ratios),
        }
        rows.append(row)
        print(
            f"{name:<24}{subject:<20}{row['value']:>14,.2f} {unit:<7}{row['ratio']:>18.2f}"
            f"  {row['ratio_min']:.2f} … {row['ratio_max']:.2f}"
        )
    return rows


def write(name, rows):
    """Keep rows where other programs find them."""
    directory = ROOT / "target/bench"
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{name}.json").write_text(json.dumps(rows, indent=2) + "\n")
