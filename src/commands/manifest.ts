import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import type { LoadedSweep } from '../config/load.ts';
import type { Engine } from '../engines/engine.ts';
import { optionsOf } from '../engines/options.ts';
import { weightStorages } from '../engines/storage.ts';
import { withoutSecrets } from '../files/redact.ts';
import type { LayerCut } from '../models/catalogue.ts';
import type { Plan } from '../plan/plan.ts';
import { type Environment, type Manifest, workShape } from '../schema/manifest.ts';
import type { ModelSpec } from '../schema/model.ts';
import type { Rule } from '../schema/sweep.ts';

export interface ManifestInput {
  readonly loaded: LoadedSweep;
  readonly plan: Plan;
  readonly engines: ReadonlyMap<string, Engine>;
  readonly environment: Environment;
  readonly threads: number;
  readonly parity: boolean;
  readonly only: Rule | null;
  readonly now: Date;
}

/** What stands for the whole run: reports are made from it and the records alone. */
export function makeManifest(input: ManifestInput): Manifest {
  const { loaded, plan, engines, environment, threads, parity, only, now } = input;
  const { sweep, models, published } = loaded;
  const config = { ...sweep, models: models.map(({ spec }) => spec), threads, parity, only };
  return withoutSecrets({
    format: 1,
    runId: `${runPrefix(loaded.file)}-${runStamp(now)}`,
    createdAt: now.toISOString(),
    title: sweep.title ?? null,
    configSha256: createHash('sha256')
      .update(JSON.stringify([loaded.configSha256, threads, parity, only]))
      .digest('hex'),
    config,
    environment,
    seed: sweep.seed,
    threads,
    repetitions: sweep.repetitions,
    generate: sweep.generate,
    baselines: sweep.baselines.map(({ engine, precision }) => ({ engine, precision: precision ?? null })),
    engines: sweep.engines.map((choice) => {
      const engine = engines.get(choice.engine)!;
      const title =
        choice.name === choice.engine ? engine.meta.title : `${engine.meta.title} (${choice.name})`;
      return {
        name: choice.name,
        engine: choice.engine,
        title,
        options: optionsOf(engine, choice, sweep),
        storage: weightStorages(engine.meta.artefact),
        sparesLastMlp: engine.meta.sparesLastMlp ?? false,
        nativeBuild: engine.installs?.native ? `npx ortbench setup ${choice.engine} --native` : null,
      };
    }),
    models: models.map(({ spec, shape, origin, cut }) => ({
      name: spec.name,
      title: titleOf(spec, shape.layers, cut),
      parameters: shape.parameters,
      layers: shape.layers,
      ...(cut === undefined ? {} : { ofLayers: cut.of }),
      ...(cut === undefined || cut.uncutName === spec.name ? {} : { uncutName: cut.uncutName }),
      origin,
      shape: workShape(shape),
    })),
    cells: plan.cells.map(({ cell, status, reason }) => ({ cell, status, reason })),
    parity,
    ...(published === null ? {} : { published }),
  });
}

/** "Phi-2 (2.8B), 2 of 32 layers": no chart or table of a cut model goes without it. */
function titleOf(spec: ModelSpec, layers: number, cut: LayerCut | undefined): string {
  const title = spec.title ?? cut?.uncutName ?? spec.name;
  return cut === undefined ? title : `${title}, ${layers} of ${cut.of} layers`;
}

/** The config's name, as far as it is fit for a file name: how runs of one config are found again. */
export function runPrefix(configFile: string): string {
  const name = basename(configFile).replace(/\.ya?ml$/i, '');
  return (
    name
      .replace(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^[.-]+/, '')
      .slice(0, 60) || 'sweep'
  );
}

/** "20261129-180632123": sorts by time, and two runs of one second differ. */
export const runStamp = (now: Date): string =>
  now
    .toISOString()
    .replace(/[-:.Z]/g, '')
    .replace('T', '-');
