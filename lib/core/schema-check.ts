// SPDX-License-Identifier: MIT
//
// As much of JSON Schema (draft 2020-12) as the schemas of this package use, for files that come back in. Unknown fields
// are let through: a later version of the same format may have more.

/** A schema as read from its file. */
export type JsonSchema = boolean | { readonly [keyword: string]: unknown };

type Keywords = Exclude<JsonSchema, boolean>;

/** What is wrong with `value`, as `/energy/energyJoules must be at least 0`, or nothing. */
export function schemaProblem(value: unknown, schema: JsonSchema): string | undefined {
  return check(value, schema, typeof schema === 'boolean' ? {} : schema, '');
}

function check(value: unknown, schema: JsonSchema, root: Keywords, path: string): string | undefined {
  if (schema === true) return undefined;
  const where = path === '' ? 'it' : path;
  if (schema === false) return `${where} must not be there`;
  if (typeof schema.$ref === 'string') {
    const found = check(value, definition(schema.$ref, root), root, path);
    if (found !== undefined) return found;
  }
  return (
    checkValue(value, schema, where) ??
    checkObject(value, schema, root, path) ??
    checkItems(value, schema, root, path) ??
    checkChoice(value, schema, root, path)
  );
}

function checkValue(value: unknown, schema: Keywords, where: string): string | undefined {
  const { type, minimum, maximum, exclusiveMinimum, exclusiveMaximum, pattern } = schema;
  const types = type === undefined ? [] : [type].flat();
  if (types.length > 0 && !types.some((name) => isOfType(value, name))) {
    return `${where} must be of type ${types.join(' or ')}`;
  }
  if (schema.const !== undefined && value !== schema.const)
    return `${where} must be ${JSON.stringify(schema.const)}`;
  if (Array.isArray(schema.enum) && !schema.enum.includes(value)) {
    return `${where} must be one of ${schema.enum.join(', ')}`;
  }
  if (typeof value === 'number') {
    if (typeof minimum === 'number' && value < minimum) return `${where} must be at least ${minimum}`;
    if (typeof maximum === 'number' && value > maximum) return `${where} must be at most ${maximum}`;
    if (typeof exclusiveMinimum === 'number' && value <= exclusiveMinimum) {
      return `${where} must be above ${exclusiveMinimum}`;
    }
    if (typeof exclusiveMaximum === 'number' && value >= exclusiveMaximum) {
      return `${where} must be below ${exclusiveMaximum}`;
    }
  }
  if (typeof value !== 'string') return undefined;
  if (schema.format === 'date-time' && Number.isNaN(Date.parse(value))) return `${where} must be a time`;
  if (schema.format === 'uri' && !URL.canParse(value)) return `${where} must be a URI`;
  const fits = typeof pattern !== 'string' || new RegExp(pattern, 'u').test(value);
  return fits ? undefined : `${where} must match ${pattern}`;
}

function checkObject(value: unknown, schema: Keywords, root: Keywords, path: string): string | undefined {
  if (!isOfType(value, 'object')) return undefined;
  const fields = value as Record<string, unknown>;
  const {
    required = [],
    properties = {},
    additionalProperties,
    dependentRequired = {},
  } = schema as {
    required?: string[];
    properties?: Record<string, JsonSchema>;
    additionalProperties?: JsonSchema;
    dependentRequired?: Record<string, string[]>;
  };
  const needed = [
    ...required,
    ...Object.entries(dependentRequired).flatMap(([name, others]) =>
      Object.hasOwn(fields, name) ? others : [],
    ),
  ];
  const missing = needed.find((name) => !Object.hasOwn(fields, name));
  if (missing !== undefined) return `${path}/${missing} is missing`;
  for (const [name, field] of Object.entries(fields)) {
    const known = Object.hasOwn(properties, name);
    const rule = known ? properties[name] : additionalProperties === false ? true : additionalProperties;
    const found = rule === undefined ? undefined : check(field, rule, root, `${path}/${name}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function checkItems(value: unknown, schema: Keywords, root: Keywords, path: string): string | undefined {
  if (!Array.isArray(value)) return undefined;
  const { minItems, items } = schema as { minItems?: number; items?: JsonSchema };
  if (minItems !== undefined && value.length < minItems) {
    return `${path === '' ? 'it' : path} must have at least ${minItems} entries`;
  }
  for (const [index, item] of items === undefined ? [] : value.entries()) {
    const found = check(item, items ?? true, root, `${path}/${index}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function checkChoice(value: unknown, schema: Keywords, root: Keywords, path: string): string | undefined {
  const {
    anyOf,
    if: condition,
    then,
    else: otherwise,
  } = schema as Record<string, JsonSchema | JsonSchema[] | undefined>;
  if (Array.isArray(anyOf)) {
    const problems = anyOf.map((choice) => check(value, choice, root, path));
    if (problems.every((problem) => problem !== undefined)) return problems[0];
  }
  if (condition === undefined || Array.isArray(condition)) return undefined;
  const branch = check(value, condition, root, path) === undefined ? then : otherwise;
  return branch === undefined || Array.isArray(branch) ? undefined : check(value, branch, root, path);
}

function definition(reference: string, root: Keywords): JsonSchema {
  const found = reference
    .split('/')
    .slice(1)
    .reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], root);
  if (found === undefined) throw new Error(`the schema has no ${reference}`);
  return found as JsonSchema;
}

function isOfType(value: unknown, type: unknown): boolean {
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  if (type === 'array') return Array.isArray(value);
  if (type === 'null') return value === null;
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'number') return typeof value === 'number' && Number.isFinite(value);
  return typeof value === type;
}
