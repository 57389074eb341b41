// SPDX-License-Identifier: MIT
//
// How much of the energy was measured, estimated and assumed, and what is not in it: one bar for every format.
import { formatShare } from '../core/numbers.js';
import type { PresentKind, Report } from '../core/report-types.js';
import { COMPONENTS } from './labels.js';

export interface Share {
  kind: PresentKind;
  /** Of the energy that was counted, 0 to 1. */
  ratio: number;
}

const BLOCKS: Readonly<Record<PresentKind, string>> = { measured: '█', estimated: '▓', assumed: '░' };
/** Nobody knows how long this part would be, so it has a width of its own and open ends. */
const ABSENT_BLOCK = ' ????';

/** The kinds of the counted energy, best first, those without energy left out. */
export function sharesOf({ energy }: Report): Share[] {
  const { energyJoules, measuredJoules, estimatedJoules, assumedJoules } = energy;
  if (!(energyJoules > 0)) return [{ kind: energy.kind, ratio: 1 }];
  const joules: [PresentKind, number][] = [
    ['measured', measuredJoules],
    ['estimated', estimatedJoules],
    ['assumed', assumedJoules],
  ];
  return joules.filter(([, part]) => part > 0).map(([kind, part]) => ({ kind, ratio: part / energyJoules }));
}

/** The components of which all or a part is known to be there and not counted. */
export function absentParts(report: Report): string[] {
  return COMPONENTS.filter(({ key }) => report.components[key].atLeast).map(({ key, name }) =>
    report.components[key].kind === 'absent' ? name : `a part of ${name}`,
  );
}

/** `67 % measured, 33 % assumed; not counted: GPU` */
export function shareLegend(report: Report): string {
  const counted = sharesOf(report)
    .map(({ kind, ratio }) => `${BLOCKS[kind]} ${formatShare(ratio)} ${kind}`)
    .join(', ');
  const absent = absentParts(report);
  return absent.length === 0 ? counted : `${counted}; ? absent: ${absent.join(', ')}, of unknown size`;
}

/** The bar in block characters, `columns` wide; what is absent stands behind it as question marks. */
export function shareBar(report: Report, columns: number): string {
  const shares = sharesOf(report);
  const tail = absentParts(report).length === 0 ? '' : ABSENT_BLOCK;
  const room = columns - tail.length;
  let used = 0;
  let passed = 0;
  const bar = shares.map(({ kind, ratio }, index) => {
    passed += ratio;
    // Whatever is there shows, and leaves room for what comes after it.
    const end = Math.min(Math.max(Math.round(passed * room), used + 1), room - (shares.length - 1 - index));
    const blocks = BLOCKS[kind].repeat(end - used);
    used = end;
    return blocks;
  });
  return bar.join('') + tail;
}
