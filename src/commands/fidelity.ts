import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { ENGINES } from '../engines/index.ts';
import { InfrastructureError, UserError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import {
  type Comparison,
  choose,
  type Declaration,
  loadDeclaration,
  nameOf,
} from '../fidelity/declaration.ts';
import { renderPage } from '../fidelity/page.ts';
import { BUSY_CORES, type FidelityProblem, type FidelityRow } from '../fidelity/row.ts';
import { type FidelityContext, type FidelityResult, runComparison } from '../fidelity/run.ts';
import { type FidelitySection, writeSections } from '../fidelity/store.ts';
import { formatProblem, formatRow, isBusy } from '../fidelity/table.ts';
import { writeFileAtomic } from '../files/atomic.ts';
import { cacheRoot } from '../files/cache-root.ts';
import { packageRoot } from '../files/package-root.ts';
import { physicalCores } from '../machine/cpu.ts';
import { captureEnvironment } from '../machine/environment.ts';
import { watchOtherLoad } from '../machine/load.ts';
import { resolveModel } from '../models/catalogue.ts';
import { endPreparer } from '../models/preparer.ts';
import { ensurePythonEnvironment } from '../python/environment.ts';
import type { PreparedArtefact } from '../runner/context.ts';
import { formatNumber } from '../units.ts';
import { Artefacts } from './artefacts.ts';
import { listenForInterrupt } from './interrupt.ts';

export interface FidelityOptions {
  readonly engine?: readonly string[];
  readonly model?: readonly string[];
  readonly rounds?: string;
  readonly threads?: string;
  readonly cells?: string;
  readonly tools?: readonly string[];
  /** A folder, or true for docs/ of the working folder. */
  readonly write?: string | true;
  readonly busy?: boolean;
  readonly json?: boolean;
}

const LOAD_WINDOW_MS = 1000;
const say = (line: string) => void process.stderr.write(`${line}\n`);

/**
 * `ortbench doctor --fidelity`: ortbench's drivers against the engines' own tools. Exit code 1 when a bar is missed, 3 when
 * one is undecided or the machine was busy, 4 when something could not be measured.
 */
export async function runFidelity(options: FidelityOptions): Promise<number> {
  const declaration = await loadDeclaration(options.cells ?? join(packageRoot, 'configs/fidelity.yaml'));
  const comparisons = choose(declaration, options);
  const rounds = countOf('--rounds', options.rounds) ?? declaration.rounds;
  const threads = countOf('--threads', options.threads) ?? physicalCores();
  if (!options.busy) await requireQuiet();
  if (await needFiles(comparisons)) await ensurePythonEnvironment(say);
  const interrupt = listenForInterrupt(() => say('interrupted: finishing this turn; again to end at once'));
  try {
    const names = [...new Set(comparisons.flatMap(({ models }) => models))];
    const models = await Promise.all(names.map((name) => resolveModel(name, declaration.baseDir)));
    const artefacts = new Artefacts(models, 'cpu', say);
    const context: FidelityContext = {
      rounds,
      sittings: declaration.sittings,
      moreRounds: declaration.moreRounds,
      minTimedSeconds: declaration.minTimedSeconds,
      seed: declaration.seed,
      threads,
      toolFolders: (options.tools ?? []).map((folder) => resolve(folder)),
      modelShape: (name) => models[names.indexOf(name)]!.shape,
      artefact: async (name, kind, precision) => {
        const made = await artefacts.get(models[names.indexOf(name)]!.spec.name, kind, precision);
        // Its process holds memory, and nothing else may run while something is timed.
        await endPreparer();
        return made;
      },
      derived: keepDerived,
      onProgress: say,
      onRows: (rows) => {
        for (const row of rows) (options.json ? say : print)(formatRow(row));
      },
      signal: interrupt.signal,
    };
    const results = await runAll(comparisons, context);
    const rows = results.flatMap((result) => result.rows);
    const problems = results.flatMap((result) => result.problems);
    for (const problem of problems) if (problem.failed) say(`not measured: ${formatProblem(problem)}`);
    if (options.json) print(JSON.stringify(rows, null, 2));
    if (options.write !== undefined && !interrupt.signal.aborted)
      await writePage(options.write, { ...declaration, rounds }, comparisons, results, threads);
    return interrupt.exitCode() ?? exitCodeOf(rows, problems);
  } finally {
    interrupt.release();
  }
}

const print = (line: string) => void process.stdout.write(`${line}\n`);

async function runAll(
  comparisons: readonly Comparison[],
  context: FidelityContext,
): Promise<FidelityResult[]> {
  const results: FidelityResult[] = [];
  for (const comparison of comparisons) results.push(await runComparison(comparison, context));
  return results;
}

/** Model files are made, and most tools run, in the Python environment. */
async function needFiles(comparisons: readonly Comparison[]): Promise<boolean> {
  const engines = await Promise.all(comparisons.map(({ engine }) => ENGINES[engine]!()));
  return engines.some(({ meta }) => meta.artefact !== 'none');
}

function countOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new UserError(`${option} ${text}: a whole number from 1 is needed`);
  return Number(text);
}

/** Ratios of two programs that are slowed down at different moments mean nothing. */
async function requireQuiet(): Promise<void> {
  const otherLoad = watchOtherLoad([process.pid]);
  await setTimeout(LOAD_WINDOW_MS);
  const cores = otherLoad();
  if (cores === null || cores <= BUSY_CORES) return;
  throw new InfrastructureError(
    `other processes keep ${formatNumber(cores, 2)} cores busy: ratios measured now would mean nothing`,
    {
      hint: 'end what else runs, or measure all the same with --busy, which marks every row that was disturbed',
    },
  );
}

/** Weights of a comparison's own format, in the cache beside the artefacts they are made from. */
async function keepDerived(
  source: PreparedArtefact,
  format: string,
  make: (outDir: string) => Promise<void>,
): Promise<PreparedArtefact> {
  const name = `${source.sha256.slice(0, 16)}-${format}`;
  const dir = join(cacheRoot(), 'fidelity', name);
  const temporary = `${dir}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`;
  await mkdir(join(cacheRoot(), 'fidelity'), { recursive: true });
  try {
    if (existsSync(dir)) return { dir, sha256: name };
    await make(temporary);
    await rename(temporary, dir).catch((error: NodeJS.ErrnoException) => {
      // Another process was quicker: both made the same.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return { dir, sha256: name };
}

async function writePage(
  write: string | true,
  declaration: Declaration,
  comparisons: readonly Comparison[],
  results: readonly FidelityResult[],
  threads: number,
): Promise<void> {
  const dir = write === true ? 'docs' : write;
  await mkdir(dir, { recursive: true });
  const machine = await captureEnvironment();
  const measuredAt = new Date().toISOString();
  const { rounds } = declaration;
  const fresh = comparisons.map((comparison, i): FidelitySection => {
    const { rows, problems, versions } = results[i]!;
    const { engine } = comparison;
    return {
      name: nameOf(comparison),
      engine,
      measuredAt,
      machine,
      threads,
      sittings: Math.min(declaration.sittings, rounds),
      versions: { ...versions },
      rows: [...rows],
      problems: [...problems],
    };
  });
  const sections = await writeSections(join(dir, 'fidelity.json'), fresh);
  const page = join(dir, 'fidelity.md');
  await writeFileAtomic(page, await renderPage(declaration.comparisons, sections));
  say(`written: ${page}`);
}

function exitCodeOf(rows: readonly FidelityRow[], problems: readonly FidelityProblem[]): number {
  if (rows.some(({ verdict }) => verdict === 'missed' || verdict === 'invalid')) return EXIT.regression;
  if (rows.length === 0 || problems.some(({ failed }) => failed)) return EXIT.infrastructure;
  const isOpen = rows.some((row) => row.verdict === 'undecided' || isBusy(row));
  return isOpen ? EXIT.inconclusive : EXIT.ok;
}
