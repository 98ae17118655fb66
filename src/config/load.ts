import { createHash } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import { UserError } from '../errors.ts';
import { type ResolvedModel, resolveModel } from '../models/catalogue.ts';
import type { Published } from '../schema/published.ts';
import { DEFAULT_PRECISION, type Rule, type Sweep, sweepSchema } from '../schema/sweep.ts';
import type { Device } from '../schema/vocabulary.ts';
import {
  contextProblems,
  duplicates,
  entryProblems,
  optionProblems,
  referenceProblems,
  sizeProblems,
} from './checks.ts';
import { loadPublished } from './published.ts';
import { type Problem, problemsError, type YamlSource } from './source.ts';
import { parseYamlSource, readYamlFile } from './yaml.ts';

export type { ResolvedModel } from '../models/catalogue.ts';

/** What the command line sets over the file. */
export interface SweepOverrides {
  readonly device?: Device;
  /** Keep so many layers of every model. */
  readonly layers?: number;
  readonly maxHours?: number;
}

/** A sweep that is known to make sense, before anything is loaded. */
export interface LoadedSweep {
  readonly sweep: Sweep;
  /** As the user wrote it. */
  readonly file: string;
  /** Folder of the file: paths in it are relative to this. */
  readonly baseDir: string;
  /** In the order of `sweep.models`. */
  readonly models: readonly ResolvedModel[];
  /** `file:line:column` of each exclude rule, for the reasons that the plan gives. */
  readonly excludeAt: readonly string[];
  /** SHA-256 of the sweep with all defaults and its models' descriptions; formatting and comments do not count. */
  readonly configSha256: string;
  /** What was published of its models; null where the sweep names no such file. */
  readonly published: Published | null;
}

/** Reads, validates and cross-checks a sweep file. Throws UserError listing every problem with line and column. */
export async function loadSweep(path: string, overrides: SweepOverrides = {}): Promise<LoadedSweep> {
  const text = await readYamlFile(path);
  const { value, source } = parseYamlSource(text, path, sweepSchema);
  const { layers, ...fields } = overrides;
  const given = { ...value, ...fields };
  const sweep: Sweep =
    given.precisions.length > 0 ? given : { ...given, precisions: [DEFAULT_PRECISION[given.device]] };
  // First of all: the checks below look at every cell.
  fail(path, sizeProblems(sweep, source));

  const baseDir = dirname(resolve(path));
  const problems = [...entryProblems(sweep, source), ...(await optionProblems(sweep, source))];
  const models: ResolvedModel[] = [];
  const names: string[] = [];
  for (const [i, reference] of sweep.models.entries()) {
    const model = await resolveModel(reference, baseDir, { layers }).catch((error: unknown) => {
      problems.push(modelProblem(error, i, source));
      return null;
    });
    if (model !== null) models.push(model);
    // Rules name the whole model: they were written for it.
    names.push(
      model?.cut?.uncutName ??
        model?.spec.name ??
        (typeof reference === 'string' ? reference : reference.name),
    );
  }
  problems.push(...duplicates('models', names, source), ...referenceProblems(sweep, names, source));
  if (models.length === sweep.models.length) problems.push(...contextProblems(sweep, models, source));
  const published = await loadPublished(sweep, baseDir, names).catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    problems.push(source.problem(['published'], error.message));
    return null;
  });
  fail(path, problems);

  const known = renameModels(sweep, models);
  return {
    sweep: known,
    file: path,
    baseDir,
    models,
    excludeAt: sweep.exclude.map((_, i) => {
      const { line, column } = source.locate(['exclude', i]);
      return `${path}:${line}:${column}`;
    }),
    configSha256: hashSweep(known, models),
    published,
  };
}

/** Rules as the cells name their models: with the cut of `--layers`. */
function renameModels(sweep: Sweep, models: readonly ResolvedModel[]): Sweep {
  const names = new Map(models.map(({ spec, cut }) => [cut?.uncutName ?? spec.name, spec.name]));
  const rename = (rule: Rule): Rule =>
    rule.model === undefined ? rule : { ...rule, model: rule.model.map((name) => names.get(name) ?? name) };
  return { ...sweep, include: sweep.include.map(rename), exclude: sweep.exclude.map(rename) };
}

function fail(file: string, problems: readonly Problem[]): void {
  if (problems.length > 0) throw problemsError(file, problems);
}

/** Only a user's mistake becomes a problem of the file; anything else is a defect or the machine's. */
function modelProblem(error: unknown, index: number, source: YamlSource): Problem {
  if (!(error instanceof UserError)) throw error;
  const hint = error.hint === undefined ? '' : ` (${error.hint})`;
  return source.problem(['models', index], error.message + hint);
}

function hashSweep(sweep: Sweep, models: readonly ResolvedModel[]): string {
  const { $schema: _, ...settings } = sweep;
  const identity = { ...settings, models: models.map(({ spec }) => spec) };
  return createHash('sha256').update(JSON.stringify(identity, sortKeys)).digest('hex');
}

/** Key order in the file does not matter. */
function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
