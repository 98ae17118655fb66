import type { PublishedClaim } from '../../schema/published.ts';
import { formatRatio } from '../../units.ts';
import { describeShape, PHASE_TITLE, plural } from '../describe.ts';
import { inParentheses, withInterval } from '../sentences.ts';
import type { PublishedRow } from './model.ts';

/** Wording that the Markdown table and the terminal's share; plain text, to be escaped by whoever prints it. */

/** "phi-2, fp16 against torch.compile: prompt throughput" */
export function whatText({ system, claim, phase }: PublishedRow): string {
  if (claim === null) return system.model;
  const title = phase === null ? '' : `: ${PHASE_TITLE[phase].toLowerCase()}`;
  return `${system.model}, ${claim.precision} against ${claim.baseline.title}${title}`;
}

/** "6.6× on average, up to 18.55×", or that there is no figure and what is said instead. */
export function claimText({ claim }: PublishedRow): string {
  if (claim === null) return 'no figure';
  const { average, atLeast, upTo, words } = claim;
  const parts = [
    ...(words === null ? [] : [`${words}, without a figure`]),
    ...(average === null ? [] : [`${factor(average)} on average`]),
    ...(atLeast === null ? [] : [`at least ${factor(atLeast)}`]),
    ...(upTo === null ? [] : [`up to ${factor(upTo.speedup)}${cellText(upTo)}`]),
  ];
  const scope = claim.batchSizes === null ? '' : ` for batch ${claim.batchSizes.join(', ')}`;
  const note = claim.note === null ? '' : ` (${claim.note})`;
  return `${parts.join(', ')}${scope}${note}`;
}

/** As it was published: 18.55 and 26 keep their digits. */
const factor = (value: number): string => `${value}×`;

function cellText({ batchSize, promptLength }: NonNullable<PublishedClaim['upTo']>): string {
  const parts = [
    ...(batchSize === null ? [] : [`batch ${batchSize}`]),
    ...(promptLength === null ? [] : [`prompt ${promptLength}`]),
  ];
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}

/**
 * "ONNX Runtime int4 against PyTorch eager int4: 1.93× (1.85–2.01) on average over 4 of 4 cells, 1.2× to 3.1× (2.9–3.3;
 * batch 1, prompt 32)"
 */
export function measuredText({ measured, reason }: PublishedRow): string {
  if (measured === null) return `nothing: ${reason}`;
  const { modelTitle, engineTitle, precision, baseline, average, interval, lowest, highest, namedCell } =
    measured;
  const named =
    namedCell === null
      ? ''
      : `; ${formatRatio(namedCell.speedup!)}${inParentheses(namedCell.interval)} at ${describeShape(namedCell.cell)}`;
  const mean = `${formatRatio(average)}${inParentheses(interval)}`;
  const range =
    measured.compared === 1
      ? `${mean} in 1 of ${plural(measured.cells, 'cell')} (${describeShape(highest.cell)})`
      : `${mean} on average over ${measured.compared} of ${plural(measured.cells, 'cell')}, ${formatRatio(lowest.speedup!)} to ${formatRatio(highest.speedup!)} (${withInterval(highest.interval)}${describeShape(highest.cell)})`;
  return `${modelTitle}: ${engineTitle} ${precision} against ${baseline.title} ${baseline.precision}: ${range}${named}`;
}

/** How to read the parentheses of `measuredText`. */
export const intervalNote = (rows: readonly PublishedRow[]): string =>
  rows.some(({ measured }) => measured !== null && measured.interval !== null)
    ? 'Factors in parentheses are 95 % intervals.'
    : 'There were too few rounds for intervals.';
