import type { ImportedRecord } from '../schema/imported.ts';
import type { Manifest } from '../schema/manifest.ts';
import type { Identity } from './identify.ts';
import type { ReadFigure } from './read.ts';

export interface IdentifiedFigure {
  readonly figure: ReadFigure;
  readonly identity: Identity;
}

/** Records and the engines of their manifest: one for each test of a tool, apart where settings of one test differ. */
export function recordsOf(figures: readonly IdentifiedFigure[]): {
  records: ImportedRecord[];
  engines: Manifest['engines'];
} {
  const labels = labelsOf(figures);
  const engines = new Map<string, Manifest['engines'][number]>();
  const records = figures.map(({ figure, identity }, index): ImportedRecord => {
    const name = labels[index]!;
    engines.set(name, { name, engine: figure.tool, title: `${name} (imported)`, options: {} });
    const { definition, tokensPerSecond, tokens, ns, tool, toolVersion, threads, settings, source } = figure;
    return {
      kind: 'imported',
      cell: {
        ...identity,
        engine: name,
        batchSize: figure.batchSize,
        promptLength: { length: figure.promptLength, spread: 0 },
        generate: figure.generate,
      },
      definition,
      tokensPerSecond,
      tokens,
      ns,
      tool,
      toolVersion: toolVersion?.slice(0, 200) ?? null,
      modelSaid: [figure.model, figure.weights]
        .filter((part) => part !== null)
        .join(', ')
        .slice(0, 200),
      threads,
      settings: Object.fromEntries(
        Object.entries(settings).map(([key, value]) => [
          key,
          typeof value === 'string' ? value.slice(0, 200) : value,
        ]),
      ),
      source,
    };
  });
  return { records, engines: [...engines.values()] };
}

/** "llama-bench tg128"; with the settings that differ where two figures would stand in one place. */
function labelsOf(figures: readonly IdentifiedFigure[]): string[] {
  const facts = figures.map(({ figure }) => ({
    ...figure.settings,
    threads: figure.threads ?? 'unknown',
    model: figure.model ?? 'unknown',
    weights: figure.weights ?? 'unknown',
  }));
  const base = figures.map(({ figure }) => `${figure.tool} ${figure.test}`);
  const places = figures.map(({ figure, identity }, index) =>
    JSON.stringify([base[index], identity, figure.batchSize, figure.promptLength, figure.generate]),
  );
  const atPlace = new Map<string, number[]>();
  for (const [index, place] of places.entries()) atPlace.set(place, [...(atPlace.get(place) ?? []), index]);
  const taken = new Map<string, number>();
  return figures.map((_, index) => {
    const rivals = atPlace.get(places[index]!)!;
    if (rivals.length === 1) return base[index]!;
    const own = facts[index]! as Record<string, unknown>;
    const differing = Object.keys(own).filter((key) =>
      rivals.some((other) => (facts[other]! as Record<string, unknown>)[key] !== own[key]),
    );
    const label = [base[index], ...differing.map((key) => `${key}=${own[key]}`)].join(' ');
    // The same test run again with the same settings is another figure all the same.
    const count = (taken.get(`${label} ${places[index]}`) ?? 0) + 1;
    taken.set(`${label} ${places[index]}`, count);
    return count === 1 ? label : `${label} #${count}`;
  });
}
