import { sessionKey } from '../../../schema/cell.ts';
import { formatNumber, formatPercent } from '../../../units.ts';
import { groupBy } from '../../group-by.ts';
import { oneLine } from '../../markdown.ts';
import type { CellRow } from '../../model.ts';
import { loadedModels, shortHash, weightSentences } from '../../weights.ts';
import { type Html, html } from '../markup.ts';
import { table } from '../table.ts';
import type { PageContext, Section } from './section.ts';

/** Whether engines computed the same: one row a loaded model, its worst check. */
export const parity: Section = {
  id: 'parity',
  title: 'Parity',
  render({ report, facets }) {
    const sessions = groupBy(
      report.rows.filter(({ session }) => session !== null),
      ({ cell }) => sessionKey(cell),
    );
    if (sessions.size === 0) return null;
    const rows = [...sessions.values()].map((group) => {
      const row = worst(group);
      const figures = row.parityFigures;
      return {
        facets: facets.of(row.cell),
        cells: [
          row.modelTitle,
          row.engineTitle,
          row.cell.precision,
          row.parity,
          figures === null ? '' : scientific(figures.normalisedError),
          figures === null ? '' : scientific(figures.systematicError),
          figures === null ? '' : scientific(figures.meanKlDivergence),
          figures === null ? '' : formatPercent(figures.top1Agreement),
          oneLine(row.parityReason ?? ''),
        ],
      };
    });
    return html`<p>Before an engine is timed, its teacher-forced logits are held against PyTorch eager in fp32 on the same weights. One that computes something else gets no speedup, and its bars are crossed out.</p>
${table(
  'The worst check of each loaded model',
  [
    'Model',
    'Engine',
    'Precision',
    'Verdict',
    'Normalised error',
    'Systematic part',
    'Mean KL, nats',
    'Same greedy token',
    'Reason',
  ],
  rows,
  [4, 5, 6, 7],
)}
${weights(report.rows, facets)}`;
  },
};

/** Shown from the results alone: each engine's file comes from the checkpoint that the others' come from. */
function weights(rows: readonly CellRow[], facets: PageContext['facets']): Html | null {
  const loaded = loadedModels(rows);
  if (loaded.length === 0) return null;
  return html`<ul>${weightSentences(rows).map((text) => html`<li>${text}</li>`)}</ul>
${table(
  'Where the weights come from, by SHA-256: source → canonical checkpoint → what the engine loaded',
  ['Model', 'Engine', 'Precision', 'Source', 'Canonical checkpoint', 'Artefact', "Reference's checkpoint"],
  loaded.map((row) => ({
    facets: facets.of(row.cell),
    cells: [
      row.modelTitle,
      row.engineTitle,
      row.cell.precision,
      shortHash(row.session!.chain?.source),
      shortHash(row.session!.chain?.checkpoint),
      shortHash(row.session!.artefact),
      row.parityFigures === null ? '' : shortHash(row.parityReference?.checkpoint),
    ],
  })),
)}`;
}

const ORDER = ['match', 'unchecked', 'mismatch'];

function worst(group: readonly CellRow[]): CellRow {
  return group.reduce((found, row) => {
    const [a, b] = [ORDER.indexOf(found.parity), ORDER.indexOf(row.parity)];
    if (a !== b) return b > a ? row : found;
    return (row.parityFigures?.normalisedError ?? 0) > (found.parityFigures?.normalisedError ?? 0)
      ? row
      : found;
  });
}

const scientific = (value: number): string =>
  value === 0 ? '0' : Math.abs(value) >= 0.001 ? formatNumber(value, 4) : value.toExponential(1);
