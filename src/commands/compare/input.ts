import { stat } from 'node:fs/promises';
import { type LoadedSweep, loadSweep } from '../../config/load.ts';
import { didYouMean } from '../../config/suggest.ts';
import { UserError } from '../../errors.ts';
import type { Variant } from '../../gate/model.ts';
import { MOST_PAIRS } from '../../gate/power.ts';
import { GATE } from '../../gate/rule.ts';
import { PRECISIONS, type Precision } from '../../schema/vocabulary.ts';

export interface CompareOptions {
  readonly baseline?: string;
  readonly candidate?: string;
  readonly against?: string;
  readonly baselineOrtbench?: string;
  readonly pairs?: string;
  readonly noiseFrom?: string;
  readonly maxPairs?: string;
  readonly only?: string[];
  readonly out?: string;
  readonly parity?: boolean;
  readonly markdown?: string;
  readonly junit?: string;
  readonly githubBenchmark?: string;
  readonly bencher?: string;
  readonly json?: boolean;
}

/** A results folder, or a config that was read. */
export type Source = { readonly folder: string } | { readonly loaded: LoadedSweep };

/** @throws UserError when there is nothing at the path, or its config is wrong */
export async function sourceOf(path: string): Promise<Source> {
  const found = await stat(path).catch(() => null);
  return found?.isDirectory() ? { folder: path } : { loaded: await loadSweep(path) };
}

/** "NAME" or "NAME:PRECISION", checked against what there is. @throws UserError */
export function parseVariant(
  option: string,
  text: string | undefined,
  engines: readonly string[],
  precisions: readonly string[],
): Variant {
  if (text === undefined) return { engine: null, precision: null };
  const colon = text.lastIndexOf(':');
  const engine = colon < 0 ? text : text.slice(0, colon);
  const precision = colon < 0 ? null : text.slice(colon + 1);
  if (!engines.includes(engine)) {
    throw new UserError(`${option} ${text}: there is no engine ${JSON.stringify(engine)} here`, {
      hint: didYouMean(engine, engines).replace(/^; /, '') || `it has ${engines.join(', ')}`,
    });
  }
  if (precision !== null && !precisions.includes(precision)) {
    throw new UserError(`${option} ${text}: there is no precision ${JSON.stringify(precision)} here`, {
      hint: `it has ${precisions.join(', ')}; precisions are ${PRECISIONS.join(', ')}`,
    });
  }
  return { engine, precision: precision as Precision | null };
}

export type PairsWanted =
  | { readonly pairs: number }
  | { readonly most: number; readonly noiseFrom: string | null };

/** How many pairs, or how they are to be chosen. @throws UserError */
export function parsePairs({ pairs, noiseFrom, maxPairs }: CompareOptions): PairsWanted {
  const chosen = pairs === 'auto' || (pairs === undefined && noiseFrom !== undefined);
  const most = wholeNumber('--max-pairs', maxPairs, MOST_PAIRS);
  if (most > MOST_PAIRS)
    throw new UserError(`--max-pairs ${most}: at most ${MOST_PAIRS}`, {
      hint: 'give a number with --pairs instead',
    });
  if (chosen) return { most, noiseFrom: noiseFrom ?? null };
  if (noiseFrom !== undefined)
    throw new UserError('--noise-from chooses the pairs, and --pairs gives them', {
      hint: 'leave one of them out',
    });
  return { pairs: wholeNumber('--pairs', pairs, GATE.pairs) };
}

/** Fewer have no interval. */
const FEWEST = 6;

function wholeNumber(option: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (Number.isInteger(value) && value >= FEWEST && value <= 10_000) return value;
  throw new UserError(`${option} ${text}: a whole number from ${FEWEST} on`, {
    hint: `${FEWEST} are the fewest that have a 95 % interval; ${option === '--pairs' ? 'or write auto' : 'at most 10,000'}`,
  });
}
