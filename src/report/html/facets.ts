import { PHASES, type Phase } from '../../schema/vocabulary.ts';
import { PHASE_TITLE } from '../describe.ts';
import type { CellRow, Report } from '../model.ts';

type Coordinates = Pick<CellRow['cell'], 'model' | 'engine' | 'precision' | 'device'>;

/** What a reader filters by: a name in attributes and data, a title on the page, and the values that occur. */
export interface Facet {
  readonly name: string;
  readonly title: string;
  readonly values: readonly string[];
}

export interface Facets {
  readonly all: readonly Facet[];
  /** Indices of a cell's values, by facet. */
  of(cell: Coordinates): Record<string, number>;
  phase(phase: Phase): number;
}

/** Each facet of cells is a line here; the page, its data and its tables follow. */
const CELL_FACETS: readonly { name: string; title: string; of: (cell: Coordinates) => string }[] = [
  { name: 'model', title: 'Model', of: ({ model }) => model },
  { name: 'precision', title: 'Precision', of: ({ precision }) => precision },
  { name: 'device', title: 'Device', of: ({ device }) => device },
  { name: 'engine', title: 'Engine', of: ({ engine }) => engine },
];

export function facetsOf({ manifest, rows }: Report): Facets {
  const titles: Readonly<Record<string, ReadonlyMap<string, string>>> = {
    engine: new Map(manifest.engines.map(({ name, title }) => [name, title])),
  };
  const found = CELL_FACETS.map(({ name, title, of }) => {
    const values = [...new Set(rows.map(({ cell }) => of(cell)))];
    return { name, title, of, values, places: new Map(values.map((value, index) => [value, index])) };
  });
  return {
    all: [
      ...found.map(({ name, title, values }) => ({
        name,
        title,
        values: distinct(
          values.map((value) => titles[name]?.get(value) ?? value),
          values,
        ),
      })),
      { name: 'phase', title: 'Phase', values: PHASES.map((phase) => PHASE_TITLE[phase]) },
    ],
    of: (cell) => Object.fromEntries(found.map(({ name, of, places }) => [name, places.get(of(cell)) ?? -1])),
    phase: (phase) => PHASES.indexOf(phase),
  };
}

/** Titles that two values share get the value behind them. */
const distinct = (titles: readonly string[], values: readonly string[]): string[] =>
  titles.map((title, index) =>
    titles.indexOf(title) === titles.lastIndexOf(title) ? title : `${title} (${values[index]})`,
  );
