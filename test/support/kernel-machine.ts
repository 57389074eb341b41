// SPDX-License-Identifier: MIT

/** One package of 30 W, of which a program draws 30 W more while its load is on. */
export const LOADED_MACHINE = `
processor intel 6 0x9e
cpus 0-3 package 0
meter package-0 power 30W load 30W jitter 20us
meter dram-0 power 2W jitter 20us
zone intel-rapl:0 package-0 of package-0
zone intel-rapl:0:0 dram of dram-0
pmu power 30 cpus 0
event power energy-pkg 2 cpu 0 of package-0
event power energy-ram 3 cpu 0 of dram-0
`;

/** What it draws in all while the load is off, and what the load adds. */
export const IDLE_WATTS = 32;
export const LOAD_WATTS = 30;

/**
 * For scripts: `tell(kernel)` is the kernel with its calls noted, and `truth(result)` what one call that was measured truly
 * used in joules: `total`, and what its load `added`. Which calls were measured is not told. In a sweep they are the last
 * ones, but for the longest where some were left out; in loops, where those that were kept waiting are longer than others,
 * the load has its part of the time of as many calls, the last ones: a harness may have made calls of its own before.
 */
export const TELL = `
  const load = openLoad();
  const tell = (kernel) => {
    const calls = [];
    const told = (input) => {
      const start = performance.now();
      const before = load.seconds();
      const result = kernel(input);
      const note = () => {
        calls.push({ on: load.seconds() - before, whole: (performance.now() - start) / 1000 });
      };
      if (typeof result?.then !== 'function') return note();
      return result.then(note);
    };
    const sum = (some, of) => some.reduce((total, call) => total + of(call), 0);
    const truth = ({ callSeconds, callCount = Infinity, lostBatchCount = 0, provenance }) => {
      const byCall = callCount === 1 || provenance?.method === 'phase-sweep';
      const last = calls.slice(-callCount - lostBatchCount).sort((a, b) => a.whole - b.whole);
      const measured = byCall ? last.slice(0, callCount) : calls.slice(-callCount);
      const seconds = byCall
        ? sum(measured, ({ on }) => on) / measured.length
        : (callSeconds * sum(measured, ({ on }) => on)) / sum(measured, ({ whole }) => whole);
      const added = ${LOAD_WATTS} * seconds;
      return { total: ${IDLE_WATTS} * callSeconds + added, added };
    };
    return { told, truth };
  };`;
