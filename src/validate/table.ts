import type { Figure } from './figure.ts';

/** What `npm run validate:statistics -- --json` prints. */
export interface Proof {
  /** Day on which it was computed, as 2026-01-31. */
  readonly date: string;
  readonly nights: number;
  readonly holds: boolean;
  readonly figures: readonly Figure[];
}

/** The table of a proof for the documentation: a line for each claim, its variants side by side. */
export function proofTable({ date, nights, figures }: Proof): string {
  const claims = new Map<string, Figure[]>();
  for (const figure of figures) claims.set(figure.claim, [...(claims.get(figure.claim) ?? []), figure]);
  const lines = [...claims].map(([claim, variants]) => {
    const names = variants.map(({ variant }) => variant).join(' · ');
    const seen = variants.map(({ value }) => percent(value)).join(' · ');
    return `| ${claim}: ${names} | ${boundsOf(variants[0]!)} | ${seen} |`;
  });
  const head = `Computed on ${date} from ${nights.toLocaleString('en')} nights ([statistics.json](statistics.json)):`;
  return [head, '', '| figure | asked for | seen |', '|---|---|---|', ...lines].join('\n');
}

const MARKED = /(<!-- statistics -->\n)[\s\S]*?(\n<!-- \/statistics -->)/;

/** A page with its table made anew. @throws Error when the page has no place for it */
export function withProof(page: string, proof: Proof): string {
  if (!MARKED.test(page)) throw new Error('the page has no <!-- statistics --> … <!-- /statistics -->');
  return page.replace(MARKED, (_, begin, end) => `${begin}${proofTable(proof)}${end}`);
}

/** One line for a terminal. */
export function figureLine(figure: Figure): string {
  const { claim, variant, value, trials, holds, meanPairs } = figure;
  const pairs = meanPairs === null ? '' : `, ${meanPairs.toFixed(1)} pairs on average`;
  return `${holds ? 'holds' : 'FAILS'}  ${claim}, ${variant}: ${percent(value)} (${boundsOf(figure)}) of ${trials}${pairs}`;
}

const percent = (share: number): string => `${Number((share * 100).toFixed(2))} %`;

function boundsOf({ atLeast, atMost }: Figure): string {
  if (atLeast !== null && atMost !== null) return `${percent(atLeast)} to ${percent(atMost)}`;
  if (atLeast !== null) return `≥ ${percent(atLeast)}`;
  return atMost === null ? '–' : `≤ ${percent(atMost)}`;
}
