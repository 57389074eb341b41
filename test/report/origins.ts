// SPDX-License-Identifier: MIT
const KINDS: readonly unknown[] = ['measured', 'estimated', 'assumed'];

type Json = Record<string, unknown>;

/**
 * The path of every number of a report, and those that do not answer how they came about: whose kind, or whose source,
 * no object around them tells. A counter is measured, by its origin; what a user says of a model is the user's.
 */
export function originsOf(report: object): { numbers: string[]; unanswered: string[] } {
  const numbers: string[] = [];
  const unanswered: string[] = [];
  const walk = (value: unknown, path: string, kind: unknown, source: unknown): void => {
    if (typeof value === 'number') {
      numbers.push(path);
      if (!KINDS.includes(kind) || typeof source !== 'string' || source === '') unanswered.push(path);
    } else if (typeof value === 'object' && value !== null) {
      const own = value as Json;
      const isCounter = typeof own.origin === 'string';
      for (const [name, inner] of Object.entries(own)) {
        walk(
          inner,
          path === '' ? name : `${path}.${name}`,
          isCounter ? 'measured' : (own.kind ?? kind),
          isCounter ? own.origin : (own.source ?? source),
        );
      }
    }
  };
  const { emissionsKg, model: _, ...rest } = report as Json & { emissions?: Json };
  walk(rest, '', undefined, undefined);
  // The one number that stands in two places.
  if (emissionsKg !== rest.emissions?.emissionsKg) unanswered.push('emissionsKg');
  return { numbers, unanswered };
}
