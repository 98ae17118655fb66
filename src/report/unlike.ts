import { groupBy } from './group-by.ts';
import type { CellRow, ReportRun } from './model.ts';
import { shortHash } from './weights.ts';

/**
 * Conditions that should agree for bars of different runs to be looked at side by side, beside the machine itself: each that
 * does not, in one sentence with who had what.
 */
export function explainUnlike(runs: readonly ReportRun[], rows: readonly CellRow[]): string[] {
  const measured = runs.filter(({ manifest }) => manifest.imported === undefined);
  if (measured.length < 2) return [];
  const of = (what: string, value: (run: ReportRun) => string): string[] => sentence(what, measured, value);
  return [
    ...of('compute threads per engine', ({ manifest }) => String(manifest.threads)),
    ...of('rounds', ({ manifest }) => String(manifest.repetitions)),
    ...of('tokens generated', ({ manifest }) => String(manifest.generate)),
    ...of('seed of prompts and order', ({ manifest }) => String(manifest.seed)),
    ...of('parity check', ({ manifest }) => (manifest.parity ? 'made' : 'left out')),
    ...of('ortbench', ({ manifest }) => manifest.environment.ortbench),
    ...of('operating system', ({ manifest }) => `${manifest.environment.os}, ${manifest.environment.kernel}`),
    ...optionDifferences(measured),
    ...sessionDifferences(measured, rows),
    ...weightDifferences(measured, rows),
    ...promptDifferences(rows),
  ];
}

function sentence(
  what: string,
  runs: readonly ReportRun[],
  value: (run: ReportRun) => string | null,
): string[] {
  const said = runs.flatMap((run) => {
    const text = value(run);
    return text === null ? [] : [{ run, text }];
  });
  const groups = groupBy(said, ({ text }) => text);
  if (groups.size < 2) return [];
  const parts = [...groups].map(
    ([text, members]) => `${text} (${members.map(({ run }) => run.label ?? run.manifest.runId).join('; ')})`,
  );
  return [`Unlike ${what}: ${parts.join(' · ')}.`];
}

/** Options of engines that go by one name. */
function optionDifferences(runs: readonly ReportRun[]): string[] {
  const names = new Set(runs.flatMap(({ manifest }) => manifest.engines.map(({ name }) => name)));
  return [...names].flatMap((name) =>
    sentence(`engine or options of ${name}`, runs, ({ manifest }) => {
      const engine = manifest.engines.find((candidate) => candidate.name === name);
      return engine === undefined ? null : `${engine.engine} ${JSON.stringify(engine.options)}`;
    }),
  );
}

/** Versions of libraries, as the sessions reported them. */
function sessionDifferences(runs: readonly ReportRun[], rows: readonly CellRow[]): string[] {
  const names = new Set(rows.map(({ cell }) => cell.engine));
  return [...names].flatMap((name) =>
    sentence(`versions of ${name}`, runs, (run) => {
      const row = rows.find(
        (candidate) => candidate.run === run && candidate.cell.engine === name && candidate.session,
      );
      if (!row?.session) return null;
      const versions = Object.entries(row.session.versions).map(
        ([library, version]) => `${library} ${version}`,
      );
      return versions.join(', ');
    }),
  );
}

/** Canonical checkpoints of models that go by one name; a run that does not say is none of them. */
function weightDifferences(runs: readonly ReportRun[], rows: readonly CellRow[]): string[] {
  const models = groupBy(
    rows.filter(({ session }) => session?.chain),
    ({ cell }) => `${cell.model} ${cell.precision}`,
  );
  return [...models].flatMap(([model, members]) =>
    sentence(`canonical checkpoint of ${model}`, runs, (run) => {
      const row = members.find((candidate) => candidate.run === run);
      return row === undefined ? null : shortHash(row.session!.chain!.checkpoint);
    }),
  );
}

/** Token ids are drawn from the seed: the same shape with other ids is other work, if of the same size. */
function promptDifferences(rows: readonly CellRow[]): string[] {
  const work = groupBy(
    rows.filter(({ preparation }) => preparation !== null),
    ({ cell: { model, batchSize, promptLength } }) => JSON.stringify([model, batchSize, promptLength]),
  );
  const differing = [...work.values()].filter(
    (members) => new Set(members.map(({ preparation }) => preparation!.promptsSha256)).size > 1,
  );
  if (differing.length === 0) return [];
  const { cell } = differing[0]![0]!;
  return [
    `Unlike prompts in ${differing.length} of ${work.size} shapes, the first is ${cell.model}, batch ${cell.batchSize}, prompt ${cell.promptLength.length}: same lengths, other token ids.`,
  ];
}
