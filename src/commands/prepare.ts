import { z } from 'zod';
import { loadSweep, type ResolvedModel, type SweepOverrides } from '../config/load.ts';
import { didYouMean } from '../config/suggest.ts';
import { parseYaml, readYamlFile } from '../config/yaml.ts';
import type { EngineMeta } from '../engines/engine.ts';
import { ENGINES } from '../engines/index.ts';
import { givenOptions } from '../engines/options.ts';
import { supportOf } from '../engines/support.ts';
import { UserError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { resolveModel } from '../models/catalogue.ts';
import { cacheUsage } from '../models/prepare.ts';
import { type PreparedModel, prepareModel } from '../models/prepare-model.ts';
import { enginesOf } from '../plan/facts.ts';
import { type Device, PRECISIONS, type Precision } from '../schema/vocabulary.ts';
import { type OverrideOptions, overridesOf } from './overrides.ts';
import { formatPrepared } from './prepare-table.ts';

export interface PrepareOptions extends OverrideOptions {
  readonly precision?: readonly string[];
  readonly engine?: readonly string[];
  readonly force?: boolean;
  readonly verify?: boolean;
  readonly json?: boolean;
}

/** What is to be prepared: models, and for which engines, precisions and device. */
interface Wanted {
  readonly models: readonly ResolvedModel[];
  /** By the name that `--engine` takes, with its options as the sweep gives them. */
  readonly engines: ReadonlyMap<string, { meta: EngineMeta; options: Readonly<Record<string, unknown>> }>;
  readonly precisions: readonly Precision[];
  readonly device: Device;
}

type ModelFiles = { readonly model: string } & PreparedModel;

/**
 * `ortbench prepare`: makes the files that the engines load, as far as they are missing. Exit code 4 when `--verify`
 * finds a matrix that differs from the checkpoint's.
 */
export async function runPrepare(what: string, options: PrepareOptions): Promise<number> {
  const wanted = narrow(await understand(what, overridesOf(options)), options);
  const prepared: ModelFiles[] = [];
  for (const model of wanted.models) {
    for (const precision of wanted.precisions) {
      const kinds = kindsFor(wanted, precision);
      if (kinds.length === 0) continue;
      const files = await prepareModel(model, [precision], kinds, {
        device: wanted.device,
        force: options.force ?? false,
        verify: options.verify ?? false,
        onProgress: (line) => process.stderr.write(`${model.spec.name}: ${line}\n`),
      });
      prepared.push(...files.map((file) => ({ model: model.spec.name, ...file })));
    }
  }
  const cache = await cacheUsage();
  const text = options.json
    ? `${JSON.stringify({ prepared, cache }, null, 2)}\n`
    : formatPrepared(prepared, cache);
  process.stdout.write(text);
  const differs = prepared.some((file) => file.outcome === 'prepared' && file.verification?.ok === false);
  return differs ? EXIT.infrastructure : EXIT.ok;
}

/** A sweep's file, a model's file, or a model's name. */
async function understand(what: string, overrides: SweepOverrides): Promise<Wanted> {
  if (/\.ya?ml$/i.test(what)) {
    const content = parseYaml(await readYamlFile(what), what, z.record(z.string(), z.unknown()));
    if (!('source' in content)) {
      const { sweep, models } = await loadSweep(what, overrides);
      const engines = await enginesOf(sweep);
      const chosen = sweep.engines.map((choice) => {
        const { meta } = engines.get(choice.engine)!;
        return [choice.name, { meta, options: givenOptions(choice, sweep) }] as const;
      });
      return { models, engines: new Map(chosen), precisions: sweep.precisions, device: sweep.device };
    }
  }
  const engines = await Promise.all(Object.values(ENGINES).map((load) => load()));
  return {
    models: [await resolveModel(what, process.cwd(), overrides)],
    engines: new Map(engines.map(({ meta }) => [meta.id, { meta, options: {} }])),
    precisions: PRECISIONS,
    device: overrides.device ?? 'cpu',
  };
}

/** Applies `--engine` and `--precision`. */
function narrow(wanted: Wanted, { engine, precision }: PrepareOptions): Wanted {
  const engines = select('--engine', engine, [...wanted.engines.keys()]);
  return {
    ...wanted,
    engines: new Map([...wanted.engines].filter(([name]) => engines.includes(name))),
    precisions: select('--precision', precision, wanted.precisions),
  };
}

function select<T extends string>(
  option: string,
  chosen: readonly string[] | undefined,
  known: readonly T[],
): readonly T[] {
  if (chosen === undefined) return known;
  for (const name of chosen) {
    if (!known.includes(name as T)) {
      const near = didYouMean(name, known) || `; there are ${known.join(', ')}`;
      throw new UserError(`${option} ${name}: not known here${near}`);
    }
  }
  return known.filter((name) => chosen.includes(name));
}

/** Kinds of files that an engine really loads in this precision: nothing is made that no engine takes. */
function kindsFor({ engines, device }: Wanted, precision: Precision) {
  const kinds = [...engines.values()].flatMap(({ meta, options }) =>
    meta.artefact !== 'none' && supportOf(meta, device, precision, options) === true ? [meta.artefact] : [],
  );
  return [...new Set(kinds)];
}
