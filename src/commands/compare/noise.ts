import { UserError } from '../../errors.ts';
import { pairCells } from '../../gate/pairs.ts';
import { choosePairs, type PairChoice } from '../../gate/power.ts';
import type { CellRow } from '../../report/model.ts';
import { PHASES } from '../../schema/vocabulary.ts';
import { PHASE_RATE } from '../../stats/rates.ts';
import { formatPercent } from '../../units.ts';
import { type LiveInput, measurePairs, reportOf } from './live.ts';

/** Pairs of a pilot. They choose how many are measured, and are not used again. */
export const PILOT_PAIRS = 15;

/** The number of pairs and where it comes from, in words. */
export interface ChosenPairs {
  readonly pairs: number;
  readonly reason: string;
  readonly folders: readonly string[];
}

export async function pairsFromPilot(input: LiveInput, most: number): Promise<ChosenPairs> {
  const { baseline, candidate, folders } = await measurePairs(input, 'pilot', PILOT_PAIRS, null);
  const { cells } = pairCells(baseline, candidate);
  const logs = cells
    .filter(({ failure }) => failure === null)
    .flatMap((cell) => PHASES.map((phase) => cell.logs[phase]));
  // Nothing can be measured: the first stage will say which cells fail and why.
  if (logs.length === 0) return { pairs: PILOT_PAIRS, reason: 'no cell of the pilot ran', folders };
  return { ...described(choosePairs(logs, most), `noise of a pilot of ${PILOT_PAIRS} pairs`), folders };
}

/** Rounds of a stored run are unpaired: two measurements differ by √2 of one's spread, drift included. */
export async function pairsFromResults(folder: string, most: number): Promise<ChosenPairs> {
  const { rows } = await reportOf(folder);
  const logs = rows.flatMap(({ measured }: CellRow) =>
    measured === null || measured.rounds.length < 6
      ? []
      : PHASES.map((phase) =>
          measured.rounds.map(({ rates }) => Math.SQRT2 * Math.log(rates[PHASE_RATE[phase]])),
        ),
  );
  if (logs.length === 0) {
    throw new UserError(`--noise-from ${folder}: no cell there has six rounds`, {
      hint: 'name results of a sweep with six or more repetitions, or choose by a pilot: --pairs auto',
    });
  }
  return { ...described(choosePairs(logs, most), `noise of ${folder}`), folders: [] };
}

function described(
  { pairs, spread, enough }: PairChoice,
  source: string,
): Pick<ChosenPairs, 'pairs' | 'reason'> {
  const noise = `${source}: ${formatPercent(spread)} between the two of a pair`;
  const purpose = enough
    ? 'chosen to find +5 % with 95 % power'
    : 'the most allowed, too few to be sure of finding +5 %';
  return { pairs, reason: `${purpose}; ${noise}` };
}
