import type { z } from 'zod';

/**
 * The keys that a schema knows at a path, for near-miss suggestions: zod's issue names the unknown key only. Unions
 * contribute every branch, discriminated ones only the branch that the input chose.
 */
export function knownKeys(schema: z.core.$ZodType, path: readonly PropertyKey[], input: unknown): string[] {
  let candidates = branches(schema, input);
  let value = input;
  for (const segment of path) {
    value = childOf(value, segment);
    candidates = candidates.flatMap((candidate) => {
      const next = descend(candidate, segment);
      return next === null ? [] : branches(next, value);
    });
  }
  const keys = new Set<string>();
  for (const candidate of candidates) {
    const def = definition(candidate);
    if (def.type === 'object') for (const key of Object.keys(def.shape)) keys.add(key);
  }
  return [...keys];
}

/** The value at a path of plain data, undefined where there is none. */
export function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const segment of path) value = childOf(value, segment);
  return value;
}

type Definition =
  | z.core.$ZodObjectDef
  | z.core.$ZodArrayDef
  | z.core.$ZodRecordDef
  | z.core.$ZodUnionDef
  | z.core.$ZodDiscriminatedUnionDef
  | z.core.$ZodOptionalDef
  | z.core.$ZodNullableDef
  | z.core.$ZodDefaultDef
  | z.core.$ZodPrefaultDef
  | z.core.$ZodReadonlyDef
  | z.core.$ZodPipeDef
  | z.core.$ZodStringDef;

function definition(schema: z.core.$ZodType): Definition {
  return schema._zod.def as unknown as Definition;
}

function childOf(value: unknown, segment: PropertyKey): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, segment)) return undefined;
  return (value as Record<PropertyKey, unknown>)[segment];
}

/** Takes off wrappers and opens unions. */
function branches(schema: z.core.$ZodType, input: unknown): z.core.$ZodType[] {
  const def = definition(schema);
  switch (def.type) {
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'readonly':
      return branches(def.innerType, input);
    case 'pipe':
      return branches(def.in, input);
    case 'union': {
      const opened = def.options.flatMap((option) => branches(option, input));
      if (!('discriminator' in def)) return opened;
      const chosen = opened.filter((option) => chosenBy(option, def.discriminator, input));
      return chosen.length > 0 ? chosen : opened;
    }
    default:
      return [schema];
  }
}

function chosenBy(option: z.core.$ZodType, discriminator: string, input: unknown): boolean {
  const values = option._zod.propValues?.[discriminator];
  return values?.has(childOf(input, discriminator) as z.core.util.Primitive) ?? false;
}

function descend(schema: z.core.$ZodType, segment: PropertyKey): z.core.$ZodType | null {
  const def = definition(schema);
  if (def.type === 'object') return def.shape[String(segment)] ?? null;
  if (def.type === 'array') return def.element;
  if (def.type === 'record') return def.valueType;
  return null;
}
