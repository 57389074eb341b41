# SPDX-License-Identifier: MIT
#
# Opens, reads and parses each file at every pass, as trackers do.
# read-files.py PASSES BATCHES FILE... prints the median over batches of nanoseconds per pass.
import statistics
import sys
import time

passes, batches, files = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
nanoseconds = []
for _ in range(batches):
    start = time.perf_counter_ns()
    for _ in range(passes):
        times = [time.perf_counter_ns()]
        values = []
        for file in files:
            with open(file) as opened:
                values.append(float(opened.read()))
        times.append(time.perf_counter_ns())
    nanoseconds.append((time.perf_counter_ns() - start) / passes)
print(statistics.median(nanoseconds))
