"""The machine that trials run on, as far as it can change what is measured."""

import os
import platform
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path


def environment() -> dict[str, str]:
    """Versions, CPU and load, each in a few words."""
    found = {
        "system": f"{platform.system()} {platform.release()}",
        "machine": f"{platform.machine()}, {os.cpu_count()} CPUs, {len(os.sched_getaffinity(0))} usable",
        "python": platform.python_version(),
        "experiment-tracker": version("experiment-tracker-mcp"),
        "load": ", ".join(f"{load:.2f}" for load in os.getloadavg()),
    }
    with suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        found["cpu"] = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))[:100]
    with suppress(OSError):
        governor = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").read_text("utf-8").strip()
        found["governor"] = governor[:40]
    return found


def load_note() -> str | None:
    """A warning where other work competes for the CPUs now."""
    load, cpus = os.getloadavg()[0], os.cpu_count() or 1
    if load <= cpus * 0.75:
        return None
    return f"the machine was busy at the start (load {load:.1f} on {cpus} CPUs): times vary more than they need to"
