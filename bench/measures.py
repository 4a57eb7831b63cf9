"""What is measured, with public tools: iperf3 and wrk. Each returns one number of one run."""

import json
import os
import re

from networks import CLIENT_CPU, HTTP, IPERF, inside, on_cpu, run

UNITS = {"us": 1.0, "ms": 1e3, "s": 1e6}


def throughput(subject, seconds):
    """Gbit/s of one TCP stream, client to server."""
    answer = run(*inside(subject.client, *on_cpu(
        CLIENT_CPU, "iperf3", "--client", subject.address, "--port", IPERF, "--time", seconds, "--json"
    )))
    return json.loads(answer)["end"]["sum_received"]["bits_per_second"] / 1e9


def _wrk(subject, seconds, connections, *options):
    answer = run(*inside(subject.client, *on_cpu(
        CLIENT_CPU, "wrk", "--latency", "--threads", 1, "--connections", connections, "--duration", f"{seconds}s",
        *options, f"http://{subject.address}:{HTTP}/",
    )))
    if re.search(r"Socket errors|Non-2xx", answer):
        raise RuntimeError(f"{subject.name}: {answer}")
    return answer


def rate(answer):
    """Requests a second, of what wrk printed."""
    return float(re.search(r"Requests/sec:\s+([\d.]+)", answer)[1])


def requests_made(answer):
    """How many requests, of what wrk printed."""
    return int(re.search(r"(\d+) requests in", answer)[1])


def percentile(answer, percent):
    """Microseconds, of what wrk printed with `--latency`."""
    number, unit = re.search(rf"\s{percent}%\s+([\d.]+)(us|ms|s)\b", answer).groups()
    return float(number) * UNITS[unit]


def requests(subject, seconds):
    """HTTP requests a second over 16 connections that stay open."""
    return rate(_wrk(subject, seconds, 16))


def connections(subject, seconds):
    """HTTP requests a second, each over a new connection, 16 at a time."""
    return rate(_wrk(subject, seconds, 16, "--header", "Connection: close"))


def latency(subject, seconds):
    """Microseconds of a request alone: median and 99th percentile."""
    answer = _wrk(subject, seconds, 1)
    return percentile(answer, 50), percentile(answer, 99)


def cpu_per_gbit(subject, seconds):
    """Milliseconds of CPU time, of all there is, that a Gbit of one TCP stream takes at both ends and between them."""
    before = _busy()
    rate = throughput(subject, seconds)
    return (_busy() - before) * 1e3 / (rate * seconds)


def _busy():
    """Seconds that the machine's CPUs have worked since it began."""
    with open("/proc/stat", encoding="ascii") as text:
        user, nice, system, _idle, _wait, irq, softirq, steal = map(int, text.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def datagrams(subject, seconds):
    """UDP datagrams of 64 bytes a second that arrive, of a sender that sends as many as it can."""
    answer = run(*inside(subject.client, *on_cpu(
        CLIENT_CPU, "iperf3", "--client", subject.address, "--port", IPERF, "--time", seconds, "--json", "--udp",
        "--bitrate", 0, "--length", 64,
    )))
    end = json.loads(answer)["end"]["sum"]
    return (end["packets"] - end["lost_packets"]) / end["seconds"]
