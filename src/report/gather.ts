import type { Manifest } from '../schema/manifest.ts';
import type { SummarisedRecord } from '../stats/run-summary.ts';
import { compareImported } from './imported.ts';
import { nameMachines } from './machines.ts';
import type { Report, ReportInput, RunPlace } from './model.ts';
import { summarise } from './summary.ts';
import { explainUnlike } from './unlike.ts';

/**
 * Several runs as one report. Each is summarised by itself and only then laid beside the others, so that no figure of one
 * is ever divided by one of another: not across machines, and not across runs of one machine, whose rounds were not paired.
 * @param machines names of the machines in the order of the runs, as far as the user gave them
 * @throws UserError when one name is given to machines that differ
 */
export function gather(inputs: readonly ReportInput[], machines: readonly string[] = []): Report {
  const names = nameMachines(
    inputs.map(({ manifest }) => manifest.environment),
    machines,
  );
  const places = inputs.map((input, index) => placeOf(inputs, names, input, index));
  const { told, renamed } = tellModelsApart(
    inputs.map((input, i) => (meetsKin(inputs, places, i) ? withRunTitles(input, places[i]!) : input)),
  );
  const reports = told.map((input, index) => summarise(input, places[index]));
  if (reports.length === 1) return reports[0]!;
  const rows = reports.flatMap((report) => report.rows);
  return {
    manifest: combine(told.map(({ manifest }) => manifest)),
    runs: reports.flatMap(({ runs }) => runs),
    interrupted: reports.some(({ interrupted }) => interrupted),
    warnings: reports.flatMap(({ runs, warnings }) => warnings.map((text) => `${runs[0]!.label}: ${text}`)),
    unlike: [
      ...renamed,
      ...explainUnlike(
        reports.flatMap(({ runs }) => runs),
        rows,
      ),
    ],
    rows,
    speedups: reports.flatMap(({ speedups }) => speedups),
    averages: reports.flatMap(({ averages }) => averages),
    imported: compareImported(rows),
    published: reports.flatMap(({ published }) => published),
    harness: null,
    time: null,
  };
}

/** "EPYC 9R14, 2 cores", with the number of the run where several were made on the machine. */
function placeOf(
  inputs: readonly ReportInput[],
  names: readonly string[],
  { manifest }: ReportInput,
  index: number,
): RunPlace {
  const machine = names[index]!;
  const kin = inputs.flatMap((other, i) =>
    names[i] === machine && other.manifest.imported === manifest.imported ? [i] : [],
  );
  const what = manifest.imported ? 'import' : 'run';
  const number = kin.length > 1 ? `${what} ${kin.indexOf(index) + 1}` : manifest.imported ? what : null;
  return {
    machine,
    run: number,
    label: inputs.length === 1 ? null : number === null ? machine : `${machine}, ${number}`,
  };
}

/** Whether another run of the machine has a model of this one, so that both have bars in one chart. */
function meetsKin(inputs: readonly ReportInput[], places: readonly RunPlace[], index: number): boolean {
  const namesOf = (input: ReportInput) => input.manifest.models.map(({ name }) => name);
  const own = new Set(namesOf(inputs[index]!));
  return inputs.some(
    (other, i) =>
      i !== index &&
      places[i]!.machine === places[index]!.machine &&
      other.manifest.imported === undefined &&
      namesOf(other).some((name) => own.has(name)),
  );
}

/** On one machine, an engine of the second run is another bar than the same engine of the first. */
function withRunTitles(input: ReportInput, { run }: RunPlace): ReportInput {
  const { manifest } = input;
  if (run === null || manifest.imported) return input;
  const engines = manifest.engines.map((engine) => ({ ...engine, title: `${engine.title}, ${run}` }));
  return { ...input, manifest: { ...manifest, engines } };
}

type ModelFacts = Manifest['models'][number];

/** What must agree for two runs to speak of one model. An imported figure's model is what the user says that it is. */
const sameModel = (a: ModelFacts, b: ModelFacts): boolean =>
  a.parameters === b.parameters && a.layers === b.layers && a.origin === b.origin;

/** One name for two models would put their figures into one chart: the later one gets a number. */
function tellModelsApart(inputs: readonly ReportInput[]): { told: ReportInput[]; renamed: string[] } {
  const known = new Map<string, ModelFacts>();
  const renamed: string[] = [];
  const told = inputs.map((input) => {
    if (input.manifest.imported) return input;
    const names = new Map<string, string>();
    for (const model of input.manifest.models) {
      let name = model.name;
      for (let copy = 2; known.has(name) && !sameModel(known.get(name)!, model); copy++)
        name = `${model.name} (${copy})`;
      if (!known.has(name)) known.set(name, model);
      if (name === model.name) continue;
      names.set(model.name, name);
      renamed.push(
        `The model ${model.name} of run ${input.manifest.runId} is another one (${describeFacts(model)}; the first is ${describeFacts(known.get(model.name)!)}): here it is ${name}.`,
      );
    }
    return names.size === 0 ? input : renameModels(input, names);
  });
  return { told, renamed };
}

const describeFacts = ({ parameters, layers, origin }: ModelFacts): string =>
  `${parameters} parameters, ${layers} layers, ${origin}`;

function renameModels(input: ReportInput, names: ReadonlyMap<string, string>): ReportInput {
  const nameOf = (name: string) => names.get(name) ?? name;
  const inCell = <T extends { model: string }>(cell: T): T => ({ ...cell, model: nameOf(cell.model) });
  const inRecord = (record: SummarisedRecord): SummarisedRecord => {
    if ('cell' in record) return { ...record, cell: inCell(record.cell) } as SummarisedRecord;
    return 'model' in record ? inCell(record) : record;
  };
  const { manifest } = input;
  return {
    ...input,
    manifest: {
      ...manifest,
      models: manifest.models.map((model) => ({
        ...model,
        name: nameOf(model.name),
        title: names.has(model.name) ? `${model.title} – ${nameOf(model.name)}` : model.title,
      })),
      cells: manifest.cells.map((planned) => ({ ...planned, cell: inCell(planned.cell) })),
    },
    records: input.records.map(inRecord),
  };
}

/**
 * What all runs have together: engines and models for legends and headings. Facts of a machine are the first run's; what
 * prints them goes by the runs.
 */
function combine(manifests: readonly Manifest[]): Manifest {
  const measured = manifests.filter(({ imported }) => imported === undefined);
  const [first] = measured.length > 0 ? measured : manifests;
  const own = measured.length > 0 ? measured : manifests;
  const titles = own.map(({ title }) => title);
  return {
    ...first!,
    title: titles.every((title) => title === titles[0]) ? titles[0]! : null,
    repetitions: Math.min(...own.map(({ repetitions }) => repetitions)),
    parity: own.every(({ parity }) => parity),
    engines: unique(
      manifests.flatMap(({ engines }) => engines),
      ({ name, title }) => `${name}\n${title}`,
    ),
    models: unique(
      [...own, ...manifests].flatMap(({ models }) => models),
      ({ name }) => name,
    ),
    baselines: unique(
      own.flatMap(({ baselines }) => baselines),
      (baseline) => JSON.stringify(baseline),
    ),
    cells: own.flatMap(({ cells }) => cells),
  };
}

function unique<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  const seen = new Map<string, T>();
  for (const item of items) if (!seen.has(keyOf(item))) seen.set(keyOf(item), item);
  return [...seen.values()];
}
