import { createHash } from 'node:crypto';
import { relative } from 'node:path';
import { UserError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { identify } from '../imports/identify.ts';
import { type ReadFigure, readFigures } from '../imports/read.ts';
import { type IdentifiedFigure, recordsOf } from '../imports/records.ts';
import { captureEnvironment } from '../machine/environment.ts';
import { ortbenchVersion } from '../machine/version.ts';
import { readManifest } from '../results/reader.ts';
import { ResultsStore } from '../results/store.ts';
import type { Environment, Manifest } from '../schema/manifest.ts';
import { resultsFolder } from './folders.ts';
import { runStamp } from './manifest.ts';

export interface ImportOptions {
  readonly model?: readonly string[];
  readonly precision?: readonly string[];
  readonly device?: string;
  readonly beside?: string;
  readonly here?: boolean;
  readonly out?: string;
  readonly json?: boolean;
}

/** `ortbench import`: other tools' outputs as a results folder of their own, for `ortbench report`. */
export async function runImport(files: readonly string[], options: ImportOptions): Promise<number> {
  const read = [];
  for (const file of files) read.push({ file, ...(await readFigures(file)) });
  const figures = read.flatMap((one) => one.figures);
  const said = {
    models: options.model ?? [],
    precisions: options.precision ?? [],
    device: options.device ?? null,
  };
  const identified = figures.map((figure) => ({ figure, identity: identify(figure, said) }));
  const beside = options.beside === undefined ? null : await readManifest(options.beside);
  const environment = await environmentOf(figures, beside, options);
  const { records, engines } = recordsOf(identified);
  const manifest = manifestOf(identified, engines, environment, beside);
  const store = await ResultsStore.create(resultsFolder(manifest.runId, options.out), manifest);
  try {
    for (const record of records) await store.append(record);
    await store.append({ kind: 'end', interrupted: false, wallNs: 0, engineNs: 0 });
  } finally {
    await store.close();
  }
  const counts = read.map(({ file, format, figures: own }) => ({
    file,
    format: format.title,
    figures: own.length,
  }));
  const dir = relative('', store.dir) || '.';
  if (options.json) console.log(JSON.stringify({ results: store.dir, files: counts }, null, 2));
  else {
    for (const { file, format, figures: count } of counts)
      console.log(`${file}: ${format}, ${count} figures`);
    console.log(`imported: ${dir}\nchart it: npx ortbench report ${options.beside ?? 'RESULTS'} ${dir}`);
  }
  return EXIT.ok;
}

/**
 * The machine that the tools ran on: the user's word, held against the processor that they name, or what little they tell.
 */
async function environmentOf(
  figures: readonly ReadFigure[],
  beside: Manifest | null,
  { beside: folder, here }: ImportOptions,
): Promise<Environment> {
  if (beside !== null && here)
    throw new UserError('--beside and --here each name a machine: give one of them');
  const known = beside?.environment ?? (here ? await captureEnvironment() : null);
  const told = new Map(
    figures.flatMap(({ cpu, at }) => (cpu === null ? [] : [[words(cpu), { cpu, at }] as const])),
  );
  const first = [...told.values()][0];
  if (told.size > 1) {
    const list = [...told.values()].map(({ cpu, at }) => `${cpu} (${at})`).join(', ');
    throw new UserError(`these files are of several machines: ${list.slice(0, 400)}`, {
      hint: 'import the files of each machine by themselves: they stay apart in a report',
    });
  }
  if (known === null) return unknownEnvironment(first?.cpu ?? null, figures);
  if (first !== undefined && words(first.cpu) !== words(known.cpuModel)) {
    throw new UserError(
      `${first.at}: the tool ran on ${first.cpu}, ${beside === null ? 'this machine' : folder} is ${known.cpuModel}`,
      { hint: `leave out ${beside === null ? '--here' : '--beside'}: figures of another machine stay apart` },
    );
  }
  return known;
}

/** Tools cut and space the name of a processor in their own ways. */
const words = (cpu: string): string => cpu.toLowerCase().replace(/\s+/g, ' ').trim();

function unknownEnvironment(cpu: string | null, figures: readonly ReadFigure[]): Environment {
  return {
    cpuModel: cpu ?? 'machine not told',
    physicalCores: 0,
    logicalCores: 0,
    cpuFeatures: [],
    memoryMiB: 0,
    os: '',
    kernel: '',
    arch: '',
    gpu: figures.find(({ gpu }) => gpu !== null)?.gpu ?? null,
    virtualised: null,
    cpuGovernor: null,
    node: '',
    ortbench: ortbenchVersion(),
  };
}

function manifestOf(
  identified: readonly IdentifiedFigure[],
  engines: Manifest['engines'],
  environment: Environment,
  beside: Manifest | null,
): Manifest {
  const now = new Date();
  const sources = [...new Set(identified.map(({ figure }) => figure.source.sha256))];
  const threads = new Set(identified.map(({ figure }) => figure.threads));
  return {
    format: 1,
    runId: `import-${runStamp(now)}`,
    createdAt: now.toISOString(),
    title: 'Imported from other tools',
    configSha256: createHash('sha256').update(JSON.stringify(sources)).digest('hex'),
    config: { sources },
    environment,
    seed: 0,
    threads: threads.size === 1 ? ([...threads][0] ?? 0) : 0,
    repetitions: 1,
    generate: 0,
    baselines: [],
    engines,
    models: [...new Map(identified.map((one) => [one.identity.model, one])).values()].map(
      ({ identity, figure }) => {
        const known = beside?.models.find(({ name }) => name === identity.model);
        return (
          known ?? {
            name: identity.model,
            title: identity.model,
            parameters: figure.parameters ?? 0,
            layers: 0,
            origin: `${figure.model ?? 'a model'} as ${figure.tool} names it`,
          }
        );
      },
    ),
    cells: [],
    parity: false,
    imported: true,
  };
}
