import type { ResolvedModel } from '../config/load.ts';
import { RULE_FIELDS, type RuleField } from '../config/rules.ts';
import { didYouMean } from '../config/suggest.ts';
import { UserError } from '../errors.ts';
import { type Rule, ruleSchema, type Sweep } from '../schema/sweep.ts';

const NUMERIC: ReadonlySet<RuleField> = new Set<RuleField>(['batchSize', 'promptLength']);
/** A model answers to its name in the sweep, and to its name without a cut. */
export type NamedModel = Pick<ResolvedModel, 'cut'> & { readonly spec: { readonly name: string } };

const HINT = 'write for example --only engine=NAME,precision=int4 or --only batchSize=1';

/**
 * `--only` expressions as rules. Fields of one expression must all match, of several expressions the same field may have
 * any of its values: `--only engine=a --only engine=b --only batchSize=1` is (a or b) and batch size 1.
 * Throws UserError that names the expression, with near misses for fields and for values that the sweep does not have.
 */
export function parseOnly(
  expressions: readonly string[],
  sweep: Sweep,
  models: readonly NamedModel[],
): Rule | null {
  const modelNames = new Map(
    models.flatMap(({ spec, cut }) => [
      [cut?.uncutName ?? spec.name, spec.name] as const,
      [spec.name, spec.name] as const,
    ]),
  );
  const known: Record<RuleField, readonly (string | number)[]> = {
    engine: sweep.engines.map(({ name }) => name),
    model: [...modelNames.keys()],
    precision: sweep.precisions,
    device: [sweep.device],
    batchSize: sweep.batchSizes,
    promptLength: sweep.promptLengths.map(({ length }) => length),
  };
  const chosen: Partial<Record<RuleField, (string | number)[]>> = {};
  for (const part of expressions.flatMap((expression) => expression.split(','))) {
    const equals = part.indexOf('=');
    const name = (equals < 0 ? part : part.slice(0, equals)).trim();
    const text = equals < 0 ? '' : part.slice(equals + 1).trim();
    const field = RULE_FIELDS.find((candidate) => candidate === name);
    if (field === undefined) {
      const near = didYouMean(name, RULE_FIELDS) || `; fields: ${RULE_FIELDS.join(', ')}`;
      throw new UserError(`--only ${part}: no field is called ${JSON.stringify(name)}${near}`, {
        hint: HINT,
      });
    }
    if (text === '') throw new UserError(`--only ${part}: ${field} needs a value`, { hint: HINT });
    const value = NUMERIC.has(field) ? Number(text) : text;
    if (!known[field].includes(value)) {
      const names = known[field].map(String);
      const near = didYouMean(text, names) || `; it has ${names.join(', ')}`;
      throw new UserError(`--only ${part}: this sweep has no ${field} ${text}${near}`, { hint: HINT });
    }
    const named = field === 'model' ? modelNames.get(text)! : value;
    chosen[field] = [...(chosen[field] ?? []), named];
  }
  return expressions.length === 0 ? null : ruleSchema.parse(chosen);
}
