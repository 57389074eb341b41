// SPDX-License-Identifier: MIT

/** A judgement that an Electricity Maps zone stands for an ISO 3166-2 subdivision, and why. */
export interface ZoneJudgement {
  zone: string;
  reason: string;
}

const brazil = (name: string) => `the national grid operator ONS runs the state in its subsystem ${name}`;
const newEngland = 'ISO New England operates the grid of the whole state';

// Hand-written, and only where one zone carries all or nearly all of the subdivision's load. Subdivisions whose
// name is a zone's name need no line here, nor do parts of a subdivision that has one. Left out on purpose: Roraima (isolated until late 2025, so no yearly
// average of a zone describes it), Maine (its north is not in ISO New England), and every US state that several
// balancing areas share.
const GROUPS: readonly (readonly [zone: string, reason: string, subdivisions: string])[] = [
  ['BR-S', brazil('Sul'), 'BR-PR BR-RS BR-SC'],
  [
    'BR-CS',
    // Acre and Rondônia are in the region Norte of the map, but in this subsystem of the grid.
    brazil('Sudeste/Centro-Oeste'),
    'BR-AC BR-DF BR-ES BR-GO BR-MG BR-MS BR-MT BR-RJ BR-RO BR-SP',
  ],
  ['BR-NE', brazil('Nordeste'), 'BR-AL BR-BA BR-CE BR-PB BR-PE BR-PI BR-RN BR-SE'],
  // Maranhão is in the region Nordeste of the map, but in this subsystem of the grid.
  ['BR-N', brazil('Norte'), 'BR-AM BR-AP BR-MA BR-PA BR-TO'],
  ['US-CAL-CISO', 'California ISO carries about four fifths of the load of the state', 'US-CA'],
  ['US-TEX-ERCO', 'ERCOT carries about nine tenths of the load of the state', 'US-TX'],
  ['US-NY-NYIS', 'New York ISO operates the grid of the whole state', 'US-NY'],
  ['US-NE-ISNE', newEngland, 'US-CT US-MA US-NH US-RI US-VT'],
  ['AU-NSW', 'the territory lies inside the New South Wales region of the market', 'AU-ACT'],
  ['FR-COR', 'the zone is the island under its English name', 'FR-20R'],
  ['IT-SAR', 'the zone is the island under its English name', 'IT-88'],
  ['IT-SIC', 'the zone is the island under its English name', 'IT-82'],
  ['PT-MA', 'the zone is the archipelago', 'PT-30'],
];

/** Judgements by ISO 3166-2 code. */
export const ZONES_BY_SUBDIVISION: ReadonlyMap<string, ZoneJudgement> = new Map(
  GROUPS.flatMap(([zone, reason, subdivisions]) =>
    subdivisions.split(' ').map((code): [string, ZoneJudgement] => [code, { zone, reason }]),
  ),
);
