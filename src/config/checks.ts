import { ENGINES } from '../engines/index.ts';
import type { Sweep } from '../schema/sweep.ts';
import { DEVICES } from '../schema/vocabulary.ts';
import { countCells, dimensions, enumerateCells } from './cells.ts';
import { problemsOf } from './issues.ts';
import type { ResolvedModel } from './load.ts';
import { compileRules, RULE_FIELDS, type RuleField } from './rules.ts';
import type { Problem, YamlSource } from './source.ts';
import { didYouMean } from './suggest.ts';

/** More cells than this are a mistake: at a second a cell they would take eleven days. */
export const MAX_CELLS = 1_000_000;

/** A matrix too large to look at, found by multiplying. */
export function sizeProblems(sweep: Sweep, source: YamlSource): Problem[] {
  const count = countCells(sweep);
  if (count <= MAX_CELLS) return [];
  const sizes = Object.entries(dimensions(sweep));
  const [largest] = sizes.reduce((most, entry) => (entry[1] > most[1] ? entry : most));
  const product = sizes.map(([name, size]) => `${name} (${size})`).join(' × ');
  const message = `${product} = ${count} cells, more than ${MAX_CELLS}; split the sweep`;
  return [source.problem([largest], message, 'key')];
}

/** Unknown engines, and entries given twice. */
export function entryProblems(sweep: Sweep, source: YamlSource): Problem[] {
  const problems: Problem[] = [];
  for (const [i, { engine }] of sweep.engines.entries()) {
    if (!Object.hasOwn(ENGINES, engine))
      problems.push(source.problem(['engines', i, 'engine'], unknownEngine(engine)));
  }
  for (const id of Object.keys(sweep.engineOptions)) {
    if (!Object.hasOwn(ENGINES, id))
      problems.push(source.problem(['engineOptions', id], unknownEngine(id), 'key'));
  }
  const lists = {
    engines: sweep.engines.map(({ name }) => name),
    precisions: sweep.precisions,
    batchSizes: sweep.batchSizes,
    promptLengths: sweep.promptLengths.map(({ length, spread }) =>
      spread === 0 ? length : `${length}~${spread}`,
    ),
    baselines: sweep.baselines.map(({ engine, precision }) => `${engine} ${precision ?? ''}`.trim()),
  };
  for (const [list, values] of Object.entries(lists)) problems.push(...duplicates(list, values, source));
  return problems;
}

export function duplicates(
  list: string,
  values: readonly (string | number)[],
  source: YamlSource,
): Problem[] {
  const first = new Map<string | number, number>();
  return values.flatMap((value, i) => {
    const earlier = first.get(value);
    if (earlier === undefined) {
      first.set(value, i);
      return [];
    }
    const advice = list === 'engines' ? '; give each variant a name of its own' : '';
    return [source.problem([list, i], `${value} is already given at ${list}[${earlier}]${advice}`)];
  });
}

/** Options that an engine does not take. Loads the engine's module, which loads no native library. */
export async function optionProblems(sweep: Sweep, source: YamlSource): Promise<Problem[]> {
  const problems: Problem[] = [];
  const shared = new Map<string, Problem[]>();
  for (const [id, options] of Object.entries(sweep.engineOptions)) {
    if (Object.hasOwn(ENGINES, id))
      shared.set(id, await checkOptions(id, options, ['engineOptions', id], source));
  }
  for (const [i, { engine, options }] of sweep.engines.entries()) {
    if (!Object.hasOwn(ENGINES, engine)) continue;
    const own = await checkOptions(engine, options, ['engines', i, 'options'], source);
    problems.push(...own);
    const common = sweep.engineOptions[engine];
    // Each half may be right and the two together wrong; said only when the halves are not to blame.
    if (common !== undefined && own.length === 0 && shared.get(engine)?.length === 0)
      problems.push(...(await checkOptions(engine, { ...common, ...options }, ['engines', i], source)));
  }
  return [...shared.values()].flat().concat(problems);
}

async function checkOptions(
  id: string,
  options: Record<string, unknown>,
  base: readonly PropertyKey[],
  source: YamlSource,
): Promise<Problem[]> {
  const engine = await ENGINES[id]!();
  const result = engine.options.safeParse(options);
  return result.success ? [] : problemsOf(result.error.issues, engine.options, options, source, base);
}

/** Baselines and rules that name what the sweep does not contain, and rules that leave nothing. */
export function referenceProblems(sweep: Sweep, models: readonly string[], source: YamlSource): Problem[] {
  const names = sweep.engines.map(({ name }) => name);
  const problems: Problem[] = [];
  for (const [i, { engine, precision }] of sweep.baselines.entries()) {
    if (!names.includes(engine))
      problems.push(source.problem(['baselines', i, 'engine'], notInSweep(engine, 'engine', names)));
    if (precision !== undefined && !sweep.precisions.includes(precision))
      problems.push(
        source.problem(['baselines', i, 'precision'], notInSweep(precision, 'precision', sweep.precisions)),
      );
  }
  const known: Record<RuleField, ReadonlySet<string | number>> = {
    engine: new Set(names),
    model: new Set(models),
    precision: new Set(sweep.precisions),
    // `--device` takes the place of the sweep's: its rules may speak of any.
    device: new Set(DEVICES),
    batchSize: new Set(sweep.batchSizes),
    promptLength: new Set(sweep.promptLengths.map(({ length }) => length)),
  };
  for (const list of ['include', 'exclude'] as const)
    for (const [i, rule] of sweep[list].entries())
      for (const field of RULE_FIELDS)
        for (const [k, value] of (rule[field] ?? []).entries())
          if (!known[field].has(value))
            problems.push(source.problem([list, i, field, k], notInSweep(value, field, [...known[field]])));
  if (problems.length === 0) problems.push(...emptyMatrix(sweep, models, source));
  return problems;
}

function emptyMatrix(sweep: Sweep, models: readonly string[], source: YamlSource): Problem[] {
  if (sweep.include.length === 0 && sweep.exclude.length === 0) return [];
  const included = compileRules(sweep.include);
  const excluded = compileRules(sweep.exclude);
  for (const { cell } of enumerateCells(sweep, models)) {
    if ((sweep.include.length === 0 || included(cell) >= 0) && excluded(cell) < 0) return [];
  }
  const rules = sweep.exclude.length > 0 ? 'exclude' : 'include';
  return [source.problem([rules], `the rules leave none of the ${countCells(sweep)} cells`, 'key')];
}

/** Prompts that no model of the sweep can hold; where some can, the plan skips the others. */
export function contextProblems(
  sweep: Sweep,
  models: readonly ResolvedModel[],
  source: YamlSource,
): Problem[] {
  const longest = models.reduce((most, model) =>
    model.shape.maxContextLength > most.shape.maxContextLength ? model : most,
  );
  const limit = longest.shape.maxContextLength;
  return sweep.promptLengths.flatMap(({ length }, i) => {
    const tokens = length + sweep.generate;
    if (tokens <= limit) return [];
    const message = `prompt ${length} + generate ${sweep.generate} = ${tokens} tokens, longer than the context of every model here (${longest.spec.name} holds ${limit})`;
    return [source.problem(['promptLengths', i], message)];
  });
}

function unknownEngine(id: string): string {
  const known = Object.keys(ENGINES);
  return `no engine is called ${JSON.stringify(id)}${didYouMean(id, known) || `; engines: ${known.join(', ')}`}`;
}

function notInSweep(value: string | number, what: string, known: readonly (string | number)[]): string {
  const names = known.map(String);
  const near = typeof value === 'string' ? didYouMean(value, names) : '';
  const shown = names.length > 20 ? `${names.slice(0, 20).join(', ')}, …` : names.join(', ');
  return `${what} ${value} is not in this sweep${near || `; it has ${shown}`}`;
}
