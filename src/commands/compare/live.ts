import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import type { LoadedSweep } from '../../config/load.ts';
import { UserError } from '../../errors.ts';
import { writeFileAtomic } from '../../files/atomic.ts';
import type { Variant } from '../../gate/model.ts';
import type { Side } from '../../gate/pairs.ts';
import type { Report } from '../../report/model.ts';
import { summarise } from '../../report/summary.ts';
import { readResults } from '../../results/reader.ts';
import { roundOrder } from '../../runner/schedule.ts';
import type { Cell } from '../../schema/cell.ts';
import type { Rule } from '../../schema/sweep.ts';
import type { Precision } from '../../schema/vocabulary.ts';
import { runSweepProcess } from './child.ts';

/** One side of a live comparison. */
export interface LiveSide {
  readonly variant: Variant;
  readonly loaded: LoadedSweep;
  /** The ortbench that runs it. */
  readonly program: string;
}

export interface LiveInput {
  readonly baseline: LiveSide;
  readonly candidate: LiveSide;
  readonly dir: string;
  readonly parity: boolean;
  /** `--only` expressions, handed on. */
  readonly only: readonly string[];
}

export interface StageResult {
  readonly baseline: Side;
  readonly candidate: Side;
  /** Results folders that were written. */
  readonly folders: readonly string[];
}

/**
 * Measures pairs of both sides into results folders of their own below `input.dir`. Sides of one config are variants in
 * one sweep, whose rounds are the pairs. Sides of two configs, or of two ortbenches, are swept in turns, a process each.
 * @param cells only these; every cell of the config without.
 */
export async function measurePairs(
  input: LiveInput,
  stage: string,
  pairs: number,
  cells: readonly Cell[] | null,
): Promise<StageResult> {
  await mkdir(input.dir, { recursive: true });
  const { baseline, candidate } = input;
  const isOneSweep = baseline.loaded === candidate.loaded && baseline.program === candidate.program;
  return isOneSweep
    ? await inOneSweep(input, stage, pairs, cells)
    : await inTurns(input, stage, pairs, cells);
}

async function inOneSweep(
  input: LiveInput,
  stage: string,
  pairs: number,
  cells: readonly Cell[] | null,
): Promise<StageResult> {
  const { baseline, candidate } = input;
  const variants = [baseline.variant, candidate.variant];
  const folder = join(input.dir, stage);
  // Parity was shown by the first stage that ran; the later ones measure the same artefacts minutes after it.
  const parity = input.parity && cells === null;
  await sweepInto(folder, candidate, { variants, pairs, cells, parity, only: input.only });
  const reports = [await reportOf(folder)];
  return {
    baseline: { variant: baseline.variant, reports },
    candidate: { variant: candidate.variant, reports },
    folders: [folder],
  };
}

async function inTurns(
  input: LiveInput,
  stage: string,
  pairs: number,
  cells: readonly Cell[] | null,
): Promise<StageResult> {
  const sides = { baseline: [] as Report[], candidate: [] as Report[] };
  const folders: string[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const names = ['baseline', 'candidate'] as const;
    for (const name of roundOrder(names, input.candidate.loaded.sweep.seed, stage, pair)) {
      const side = input[name];
      const folder = join(input.dir, stage, `${String(pair).padStart(3, '0')}-${name}`);
      const parity = input.parity && cells === null && pair === 0;
      await mkdir(join(input.dir, stage), { recursive: true });
      await sweepInto(folder, side, { variants: [side.variant], pairs: 1, cells, parity, only: input.only });
      sides[name].push(await reportOf(folder));
      folders.push(folder);
    }
  }
  return {
    baseline: { variant: input.baseline.variant, reports: sides.baseline },
    candidate: { variant: input.candidate.variant, reports: sides.candidate },
    folders,
  };
}

/** One side alone, for a comparison with stored results. */
export async function measureAlone(
  folder: string,
  side: LiveSide,
  rounds: number,
  parity: boolean,
  only: readonly string[],
): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  await sweepInto(folder, side, { variants: [side.variant], pairs: rounds, cells: null, parity, only });
}

export const reportOf = async (folder: string): Promise<Report> => summarise(await readResults(folder));

interface Sweeping {
  readonly variants: readonly Variant[];
  readonly pairs: number;
  readonly cells: readonly Cell[] | null;
  readonly parity: boolean;
  readonly only: readonly string[];
}

async function sweepInto(folder: string, side: LiveSide, sweeping: Sweeping): Promise<void> {
  const config = `${folder}.yaml`;
  await writeFileAtomic(config, stringify(configOf(side.loaded, sweeping)));
  const only = sweeping.only.flatMap((expression) => ['--only', expression]);
  const parity = sweeping.parity ? [] : ['--no-parity'];
  await runSweepProcess(side.program, [config, '--out', folder, ...parity, ...only]);
}

/**
 * The sweep of one stage, complete in itself: models in place, and nothing but the two variants. Published figures are
 * for reports, and named by a path beside the config; `maxHours` was meant for the rounds of the config, and would cut
 * cells out of a stage that has more.
 */
function configOf(loaded: LoadedSweep, { variants, pairs, cells }: Sweeping) {
  const { $schema: _, published: __, maxHours: ___, ...sweep } = loaded.sweep;
  const engines = sweep.engines.filter(({ name }) =>
    variants.some(({ engine }) => engine === null || engine === name),
  );
  const precisions = sweep.precisions.filter((name) =>
    variants.some(({ precision }) => precision === null || precision === name),
  );
  const known = { engine: new Set(engines.map(({ name }) => name)), precision: new Set(precisions) };
  return {
    ...sweep,
    models: loaded.models.map(({ spec, folder }) =>
      spec.source.kind === 'folder' && folder !== null
        ? { ...spec, source: { ...spec.source, path: folder } }
        : spec,
    ),
    engines,
    precisions,
    // Two builds of one library cannot share a process.
    isolation: sweep.isolation ?? 'process',
    measureMemory: false,
    repetitions: pairs,
    baselines: [],
    include:
      cells === null ? includeOf(loaded, variants, known) : cells.map((cell) => ruleOf(cell, variants)),
    exclude: withoutAbsent(sweep.exclude, known),
  };
}

/** What a stage still has. */
interface Known {
  readonly engine: ReadonlySet<string>;
  readonly precision: ReadonlySet<Precision>;
}

/** An empty list would include everything. @throws UserError when there is nothing left of rules that there were */
function includeOf({ sweep, file }: LoadedSweep, variants: readonly Variant[], known: Known): Rule[] {
  const rules = withoutAbsent(sweep.include, known);
  if (rules.length > 0 || sweep.include.length === 0) return rules;
  const names = variants.map(({ engine, precision }) => [engine, precision].filter(Boolean).join(':'));
  throw new UserError(
    `${file}: no include rule takes ${names.join(' or ')}, so there is nothing to compare`,
    {
      hint: 'compare variants that the rules name, or add a rule for these',
    },
  );
}

/** A rule may not name an engine or a precision that the sweep no longer has; without any of its own it matches nothing. */
function withoutAbsent(rules: readonly Rule[], known: Known): Rule[] {
  return rules.flatMap((rule) => {
    const engine = rule.engine?.filter((name) => known.engine.has(name));
    const precision = rule.precision?.filter((name) => known.precision.has(name));
    if (engine?.length === 0 || precision?.length === 0) return [];
    return [{ ...rule, ...(engine ? { engine } : {}), ...(precision ? { precision } : {}) }];
  });
}

/** Both sides of one cell: the same work, and the precision where they share it. */
function ruleOf(cell: Cell, variants: readonly Variant[]): Rule {
  const shared = variants.every(({ precision }) => precision === null);
  const everyEngine = variants.some(({ engine }) => engine === null);
  return {
    model: [cell.model],
    batchSize: [cell.batchSize],
    promptLength: [cell.promptLength.length],
    ...(shared ? { precision: [cell.precision] } : {}),
    ...(everyEngine ? { engine: [cell.engine] } : {}),
  };
}
