import { type LoadedSweep, loadSweep } from '../config/load.ts';
import { EXIT } from '../exit-codes.ts';
import { enginesOf, machineFacts, metasOf, probeEngines } from '../plan/facts.ts';
import { parseOnly } from '../plan/only.ts';
import { type Plan, type PlanFacts, planSweep } from '../plan/plan.ts';
import { cellKey } from '../schema/cell.ts';
import { diskFacts } from './disk-facts.ts';
import { type OverrideOptions, overridesOf } from './overrides.ts';
import { type PlanSummary, summarisePlan } from './plan-summary.ts';
import { formatPlan } from './plan-table.ts';

export interface PlanOptions extends OverrideOptions {
  readonly only?: readonly string[];
  readonly probe?: boolean;
  readonly json?: boolean;
}

/** `ortbench plan`: prints what a sweep would do; loads no model and runs nothing. */
export async function runPlan(configPath: string, options: PlanOptions): Promise<number> {
  const loaded = await loadSweep(configPath, overridesOf(options));
  const only = parseOnly(options.only ?? [], loaded.sweep, loaded.models);
  const engines = await enginesOf(loaded.sweep);
  const facts: PlanFacts = {
    ...(await machineFacts(loaded, only)),
    disk: await diskFacts(loaded, engines),
    // Whether a device is there decides all of its cells, and asking takes no second.
    ...(options.probe || loaded.sweep.device !== 'cpu'
      ? { availability: await probeEngines(engines, loaded.sweep) }
      : {}),
  };
  const metas = metasOf(engines);
  const plan = planSweep(loaded, metas, facts);
  const summary = summarisePlan(loaded, plan, metas, facts);
  process.stdout.write(
    options.json ? toJson(loaded, plan, summary, facts) : formatPlan(loaded, plan, summary, facts),
  );
  return EXIT.ok;
}

function toJson(loaded: LoadedSweep, plan: Plan, summary: PlanSummary, facts: PlanFacts): string {
  const { memoryMiB, availableMiB, threads, device } = facts;
  const document = {
    config: loaded.file,
    configSha256: loaded.configSha256,
    machine: { memoryMiB, availableMiB, threads, ...(device && { device }) },
    ...summary,
    cells: plan.cells.map(({ cell, status, reason, hostMiB, deviceMiB, seconds }) => {
      return { cell, key: cellKey(cell), status, reason, hostMiB, deviceMiB, seconds };
    }),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
