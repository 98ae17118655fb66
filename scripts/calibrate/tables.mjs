// The tables of docs/parity.md.
import { FIGURES, groupBy, largest, median } from './figures.mjs';

const short = (value) => (value === 0 ? '0' : value.toExponential(1));
const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
const unique = (values) => [...new Set(values)];
const figureOf = (members, name) => members.map(({ figures }) => figures[name]);

/** The worst normalised error of every model and precision, engine beside engine. */
export function familyTable(records) {
  const engines = unique(records.map(({ engine }) => engine));
  const groups = groupBy(records, ({ model, precision }) => `${model}\t${precision}`);
  return table(
    ['model', 'precision', ...engines],
    [...groups].map(([key, members]) => [
      ...key.split('\t'),
      ...engines.map((engine) => {
        const own = members.filter((record) => record.engine === engine);
        return own.length === 0 ? '–' : short(largest(figureOf(own, 'normalisedError')));
      }),
    ]),
  );
}

export function distributionTable(records) {
  const groups = groupBy(records, (r) => [r.precision, r.engine, r.model].join('\t'));
  return table(
    [
      'precision',
      'engine',
      'model',
      'checks',
      ...FIGURES.flatMap((name) => [`${name}: median`, 'largest']),
      'KL worst',
      'top-1 least',
    ],
    [...groups].map(([key, members]) => [
      ...key.split('\t'),
      members.length,
      ...FIGURES.flatMap((name) => {
        const values = figureOf(members, name);
        return [short(median(values)), short(largest(values))];
      }),
      short(largest(figureOf(members, 'klDivergence'))),
      Math.min(...figureOf(members, 'top1Agreement')).toFixed(3),
    ]),
  );
}

export function proposalTable(proposals) {
  return table(
    ['held to', 'figure', 'largest seen', 'by', 'least tolerance', 'in force'],
    proposals.map(({ heldTo, figure, seen, in: { engine, model, promptLength, seed }, least, inForce }) => [
      heldTo,
      figure,
      short(seen),
      `${engine}, ${model}, ${promptLength.length}${promptLength.spread > 0 ? ' ragged' : ''}, seed ${seed}`,
      short(least),
      short(inForce),
    ]),
  );
}

/** How many mistakes were caught by logits and how many by the file, and the nearest that was caught by logits. */
export function controlSummary(controls) {
  const logits = controls.filter(({ byLogits }) => byLogits);
  const both = logits.filter(({ byFile }) => byFile).length;
  const fileAlone = controls.filter(({ byLogits, byFile }) => byFile && !byLogits).length;
  const { mistake, engine, precision, times } = logits.reduce((a, b) => (b.times < a.times ? b : a));
  return (
    `Of ${controls.length} controls ${logits.length} are caught by logits (${both} of them by the file, too), ` +
    `${fileAlone} by the file alone, ${controls.length - logits.length - fileAlone} by neither. The nearest that is ` +
    `caught by logits is ${times.toPrecision(3)} times over its tolerance: ${mistake} (${engine}, ${precision}).`
  );
}

export function controlTable(controls) {
  return table(
    [
      'mistake',
      'model',
      'engine',
      'precision',
      'times over its tolerance',
      'by',
      'normalised error',
      'systematic error',
      'mean KL',
      'by logits',
      'by file',
    ],
    controls.map(({ mistake, model, engine, precision, times, by, figures, byLogits, byFile }) => [
      mistake,
      model,
      engine,
      precision,
      times?.toPrecision(3) ?? 'no number',
      by ?? '–',
      ...FIGURES.map((name) => (figures ? short(figures[name]) : '–')),
      byLogits ? 'yes' : 'no',
      // How an engine is driven is in no file.
      byFile === null ? '–' : byFile ? 'yes' : 'no',
    ]),
  );
}

export function surveyTable(surveyed) {
  return table(
    [
      'wrong scales',
      'tried',
      'caught by logits',
      'by the file',
      'times over the tolerance: least',
      'median',
      'most',
    ],
    surveyed.map(({ mistake, tried, byLogits, byFile, least, median: middle, most }) => [
      mistake,
      tried,
      byLogits,
      byFile,
      ...[least, middle, most].map((times) => times.toPrecision(2)),
    ]),
  );
}
