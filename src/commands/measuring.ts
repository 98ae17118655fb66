import type { LoadedSweep } from '../config/load.ts';
import type { Engine } from '../engines/engine.ts';
import { ENGINES } from '../engines/index.ts';
import { InfrastructureError, UserError } from '../errors.ts';
import { captureEnvironment } from '../machine/environment.ts';
import { enginesOf, machineFacts, memoryRoom, metasOf, probeEngines, threadsOf } from '../plan/facts.ts';
import { type PlannedCell, planSweep } from '../plan/plan.ts';
import { finishedCells } from '../results/resume.ts';
import { ResultsStore } from '../results/store.ts';
import type { RunContext } from '../runner/context.ts';
import { runCells } from '../runner/run.ts';
import { cellKey } from '../schema/cell.ts';
import type { Manifest } from '../schema/manifest.ts';
import type { Rule } from '../schema/sweep.ts';
import { Artefacts } from './artefacts.ts';
import { closeSweep } from './closing.ts';
import { diskFacts } from './disk-facts.ts';
import { folderToResume, resultsFolder } from './folders.ts';
import { listenForInterrupt } from './interrupt.ts';
import { makeManifest } from './manifest.ts';
import type { OverrideOptions } from './overrides.ts';
import { createProgress, type Progress } from './progress/display.ts';
import { rooflineFor } from './roofline.ts';

export interface SweepOptions extends OverrideOptions {
  readonly only?: string[];
  readonly out?: string;
  readonly resume?: boolean;
  readonly parity?: boolean;
  readonly json?: boolean;
}

/** Plan, prepare what is missing, run the cells that `only` leaves, store each at once, report. Returns the exit code. */
export async function measureSweep(
  loaded: LoadedSweep,
  only: Rule | null,
  options: SweepOptions,
): Promise<number> {
  const progress = createProgress();
  try {
    return await measure(loaded, only, options, progress);
  } finally {
    progress.end();
  }
}

async function measure(
  loaded: LoadedSweep,
  only: Rule | null,
  options: SweepOptions,
  progress: Progress,
): Promise<number> {
  const engines = await enginesOf(loaded.sweep);
  const parity = options.parity ?? true;
  const availability = await installAndProbe(loaded, engines, progress);
  const threads = threadsOf(loaded.sweep);
  const loadsModels = [...engines.values()].some(({ meta }) => meta.artefact !== 'none');
  const roofline =
    loadsModels && loaded.sweep.device === 'cpu'
      ? { roofline: await rooflineFor(threads, (line) => progress.line(line)) }
      : {};
  // Installing and measuring the machine are done once for it; from here on the time is the sweep's own.
  const startedNs = process.hrtime.bigint();
  const facts = { ...(await machineFacts(loaded, only)), disk: await diskFacts(loaded, engines) };
  const plan = planSweep(loaded, metasOf(engines), { ...facts, availability });
  const planned = plan.cells.filter(({ status }) => status === 'planned');
  const environment = { ...(await captureEnvironment()), ...roofline };
  const fresh = makeManifest({ loaded, plan, engines, environment, threads, parity, only, now: new Date() });
  const store = await openStore(loaded.file, options, fresh);
  const interrupt = listenForInterrupt(() =>
    progress.line('interrupted: finishing what runs now; again to end at once'),
  );
  try {
    for (const warning of store.warnings) progress.line(`warning: ${warning}`);
    announce(planned, plan.cells, store.manifest, store.dir, progress);
    const artefacts = new Artefacts(
      loaded.models,
      loaded.sweep.device,
      (line) => progress.status(line),
      (line) => progress.line(`warning: ${line}`),
    );
    const reference = await findReference(parity);
    if (parity && 'missing' in reference) {
      progress.line(
        `warning: ${reference.missing}; no parity check, and so no speedup (--no-parity divides all the same)`,
      );
    }
    await artefacts.prepareAll(planned, engines, 'engine' in reference ? reference.engine : null);
    const finished = finishedCells(store.earlier);
    const left = planned.filter(({ cell }) => !finished.has(cellKey(cell)));
    progress.begin(left, loaded.sweep.repetitions, planned.length - left.length);
    const summary = await runCells(planned, {
      sweep: loaded.sweep,
      threads,
      room: memoryRoom(facts),
      parity,
      engines,
      reference,
      modelShape: (name) => loaded.models.find(({ spec }) => spec.name === name)!.shape,
      artefact: (...wanted) => artefacts.get(...wanted),
      roofline: store.manifest.environment.roofline ?? null,
      earlier: store.earlier,
      append: (record) => store.append(record),
      onEvent: (event) => progress.event(event),
      signal: interrupt.signal,
    });
    progress.end();
    const code = await closeSweep(store, summary, startedNs, options.json ?? false);
    return interrupt.exitCode() ?? code;
  } finally {
    interrupt.release();
    await store.close();
  }
}

async function openStore(configPath: string, options: SweepOptions, fresh: Manifest): Promise<ResultsStore> {
  if (!options.resume) return ResultsStore.create(resultsFolder(fresh.runId, options.out), fresh);
  return ResultsStore.resume(await folderToResume(configPath, options.out), fresh);
}

/** Installs what can be installed without asking, then says which engines can run here. */
async function installAndProbe(
  loaded: LoadedSweep,
  engines: ReadonlyMap<string, Engine>,
  progress: Progress,
) {
  const { sweep } = loaded;
  const first = await probeEngines(engines, sweep);
  const lacking = sweep.engines.filter(({ name }) => !first.get(name)?.available);
  const installers = new Set(lacking.flatMap(({ engine }) => engines.get(engine)?.install ?? []));
  if (installers.size === 0) return first;
  for (const install of installers) {
    await install((line) => progress.status(line)).catch((error: unknown) => {
      if (!(error instanceof UserError || error instanceof InfrastructureError)) throw error;
      // The cells of these engines say so again, each with its status; the others run.
      progress.line(`warning: ${error.message}${error.hint === undefined ? '' : `; to mend: ${error.hint}`}`);
    });
  }
  return probeEngines(engines, sweep);
}

function announce(
  planned: readonly PlannedCell[],
  all: readonly PlannedCell[],
  manifest: Manifest,
  dir: string,
  progress: Progress,
): void {
  progress.line(`${manifest.runId}: ${planned.length} of ${all.length} cells to run, results in ${dir}`);
  const reasons = new Map<string, number>();
  for (const { status, reason, choice, cell } of all) {
    if (status === 'planned') continue;
    const line = `${status}: ${choice.name} ${cell.precision} on ${cell.device}: ${reason}`;
    reasons.set(line, (reasons.get(line) ?? 0) + 1);
  }
  for (const [line, count] of [...reasons].slice(0, 20)) progress.line(`  ${count} × ${line}`);
  if (reasons.size > 20) progress.line(`  and ${reasons.size - 20} more reasons: see "ortbench plan"`);
}

async function findReference(parity: boolean): Promise<RunContext['reference']> {
  if (!parity) return { missing: 'no reference was asked for' };
  const engines = await Promise.all(Object.values(ENGINES).map((load) => load()));
  const engine = engines.find(({ meta }) => meta.reference === true)!;
  const probe = await engine.probe('cpu', engine.options.parse({}));
  if (probe.available) return { engine };
  return {
    missing: `${engine.meta.title}, the reference, is not available: ${probe.reason}; to mend: ${probe.mend}`,
  };
}
