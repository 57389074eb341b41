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
 * For scripts: `tell(kernel)` is the kernel with its calls noted, and `truth(result)` what one call of the mean length that
 * was measured truly uses in joules: `total`, and what its load `added`. Of more than one call, by the load's part of the calls' time, since which
 * calls were measured is not told, and those that were kept waiting are longer than others.
 */
export const TELL = `
  const load = openLoad();
  const tell = (kernel) => {
    let [on, whole] = [0, 0];
    const told = (input) => {
      const start = performance.now();
      const before = load.seconds();
      const result = kernel(input);
      const note = () => {
        on += load.seconds() - before;
        whole += (performance.now() - start) / 1000;
      };
      if (typeof result?.then !== 'function') return note();
      return result.then(note);
    };
    const truth = ({ callSeconds, callCount }) => {
      const added = ${LOAD_WATTS} * (callCount === 1 ? on : callSeconds * on / whole);
      return { total: ${IDLE_WATTS} * callSeconds + added, added };
    };
    return { told, truth };
  };`;
