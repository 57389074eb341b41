#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A small energy tracker on microjoule's stream, in Python's standard library alone.

    python3 examples/tracker.py -- make -j8
    python3 examples/tracker.py --grams-per-kwh 31 -- python3 train.py

As a module:

    with Tracker() as tracker:
        work()
    print(tracker.energy_joules)

The format is described in docs/stream.md.
"""

import argparse
import json
import subprocess
import sys
import threading

JOULES_PER_KWH = 3_600_000


class Tracker:
    """Sums up the stream of a `microjoule monitor --jsonl` that runs meanwhile."""

    def __init__(self, command=("microjoule",), interval_seconds=0.1):
        self._command = [*command, "monitor", "--jsonl", "--interval", str(interval_seconds)]
        self._has_begun = threading.Event()
        self._channels = []
        self._values = []
        self._interval_ns = 0
        self._lost_energy = set()
        self._lacks_device = False
        self._unread = set()
        self.start_ns = 0
        self.end = None
        self.gaps = []
        self.duration_seconds = 0.0
        self.peak_watts = 0.0

    def __enter__(self):
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True, encoding="utf-8")
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        self._has_begun.wait()
        if not self._channels:
            self.__exit__(None, None, None)
            raise RuntimeError("microjoule gave no stream")
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._thread.join()
        self._process.wait()

    def _read(self):
        last = None
        for line in self._process.stdout:
            try:
                record = json.loads(line)
            except ValueError:
                break  # The last line of a stream that was cut.
            if isinstance(record, list):
                last = self._row(record, last)
                self._has_begun.set()
            elif record["type"] == "header":
                if record["schema"] != "microjoule.stream/1":
                    break
                self._channels = record["channels"]
                self._values = [None] * len(self._channels)
                self._interval_ns = record["intervalNs"]
                self._lacks_device = any(one.get("inTotal") for one in record["absent"])
                # On Linux the clock is that of time.monotonic_ns().
                self.start_ns = int(record["clock"]["monotonicNs"])
            elif record["type"] == "gap":
                self.gaps.append(record)
                if not record["energyKept"]:
                    self._lost_energy.update(record.get("channels", self.channel_ids))
            elif record["type"] == "end":
                self.end = record
            # Whatever else there is belongs to a later version, or is for people.
        self._has_begun.set()

    def _row(self, row, last):
        time_ns, *values = row
        self.duration_seconds = time_ns / 1e9
        self._unread = {one["id"] for one, value in zip(self._channels, values) if value is None}
        self._values = [old if new is None else new for old, new in zip(self._values, values)]
        energy_joules = self.energy_joules
        # The last row comes when it is asked for; a power over next to no time says nothing.
        if last is not None and time_ns - last[0] > self._interval_ns / 2:
            watts = (energy_joules - last[1]) / ((time_ns - last[0]) / 1e9)
            self.peak_watts = max(self.peak_watts, watts)
        return time_ns, energy_joules

    @property
    def channel_ids(self):
        return [channel["id"] for channel in self._channels]

    @property
    def energy_joules(self):
        """The sum of what does not overlap, since the tracker began."""
        pairs = zip(self._channels, self._values)
        return sum(value for channel, value in pairs if channel["inTotal"] and value is not None)

    @property
    def at_least(self):
        """Whether the sum lacks something: what was lost on the way, or could not be read in the last row."""
        return self._lacks_device or any(
            channel["inTotal"] and (channel["id"] in self._lost_energy or channel["id"] in self._unread)
            for channel in self._channels
        )

    @property
    def kind(self):
        """The worst kind of what is in the sum."""
        kinds = {channel["kind"] for channel in self._channels if channel["inTotal"]}
        return next((kind for kind in ("assumed", "estimated", "measured") if kind in kinds), "absent")

    def by_channel(self):
        """(name, joules, where from) of each channel in the sum."""
        for channel, value in zip(self._channels, self._values):
            if channel["inTotal"] and value is not None:
                yield channel["name"], value, f"{channel['kind']}: {channel['source']}"


def main():
    parser = argparse.ArgumentParser(description="Energy and CO2e of a command.")
    parser.add_argument("--grams-per-kwh", type=float, help="carbon intensity of the electricity")
    parser.add_argument("--microjoule", default="microjoule", help="how to start it, e.g. 'npx microjoule'")
    parser.add_argument("command", nargs="+", help="after --")
    arguments = parser.parse_args()

    with Tracker(arguments.microjoule.split()) as tracker:
        code = subprocess.call(arguments.command)

    at_least = "at least " if tracker.at_least else ""
    energy_joules = tracker.energy_joules
    print(f"{tracker.duration_seconds:.2f} s, {at_least}{energy_joules:.2f} J ({tracker.kind})", file=sys.stderr)
    for name, joules, source in tracker.by_channel():
        print(f"  {name:12} {joules:10.2f} J  {source}", file=sys.stderr)
    print(f"  peak {tracker.peak_watts:.1f} W", file=sys.stderr)
    if arguments.grams_per_kwh is not None:
        grams = energy_joules / JOULES_PER_KWH * arguments.grams_per_kwh
        print(f"  {at_least}{grams:.4g} g CO2e at {arguments.grams_per_kwh:g} g/kWh", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
