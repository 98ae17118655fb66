import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeLeftovers, temporaryName } from '../files/leftovers.ts';
import { finishedCells } from '../results/resume.ts';
import type { StageTime } from '../schema/record.ts';
import { BlockRun } from './block.ts';
import type { RunContext } from './context.ts';
import { Interrupted } from './interrupted.ts';
import { References } from './parity/reference.ts';
import { RunClock } from './run-clock.ts';
import { makeBlocks, type ScheduledCell } from './schedule.ts';

export interface RunSummary {
  readonly interrupted: boolean;
  readonly wallNs: number;
  readonly engineNs: number;
  readonly stages: readonly StageTime[];
}

/** What the run makes for itself. */
type Given = Omit<RunContext, 'clock' | 'scratchDir' | 'startedNs'>;

/** With the machine in it: containers may share a temporary folder, and know nothing of each other's processes. */
const SCRATCH = `ortbench-run-${createHash('sha256').update(hostname()).digest('hex').slice(0, 8)}-`;

/** Runs every planned cell that earlier attempts did not finish; the last record says how the attempt ended. */
export async function runCells(cells: readonly ScheduledCell[], given: Given): Promise<RunSummary> {
  await removeLeftovers(tmpdir(), SCRATCH, /^-\w{6}$/);
  const scratchDir = await mkdtemp(join(tmpdir(), temporaryName(SCRATCH, '-')));
  const startedNs = process.hrtime.bigint();
  const clock = new RunClock();
  const append: RunContext['append'] = (record) => clock.within('recording', () => given.append(record));
  const context: RunContext = { ...given, append, clock, scratchDir, startedNs };
  let interrupted = false;
  try {
    const references = new References(context);
    const finished = finishedCells(context.earlier);
    for (const block of makeBlocks(cells, context.room, context.sweep.baselines)) {
      await new BlockRun(block, finished, references, context).run();
    }
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    interrupted = true;
  } finally {
    await rm(scratchDir, { recursive: true, force: true });
  }
  const { engineNs, stages } = clock;
  const wallNs = Number(process.hrtime.bigint() - startedNs);
  const summary = { interrupted, wallNs, engineNs, stages };
  await context.append({ kind: 'end', ...summary });
  return summary;
}
