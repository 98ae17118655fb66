import { workKey } from '../schema/cell.ts';
import type { Manifest } from '../schema/manifest.ts';
import type { Flag } from '../stats/flags.ts';
import { PHASE_RATE } from '../stats/rates.ts';
import { formatNumber, formatPercent } from '../units.ts';
import { groupBy } from './group-by.ts';
import type { CellRow } from './model.ts';

/**
 * From this share of the machine's matrix rate on, the fastest engine's time goes into arithmetic: below it into dispatch,
 * and who is slower then has more overhead and not worse kernels. Small models and short prompts never reach it.
 */
const WORK_BOUND = 0.3;
/**
 * Old compilers' float kernels were measured at 0.45 to 0.7 of the same code's from a newer one, most of them at half;
 * good libraries at the same work lie within 0.7 of each other. Between the two.
 */
const FAR_BELOW = 0.6;

/**
 * Flags each prefill that is far slower than the fastest at the same work and precision, where arithmetic is what takes the
 * time. Not decode: there engines differ by what dispatching a step costs, which no build mends.
 */
export function flagBelowPeers(manifest: Manifest, rows: readonly CellRow[]): CellRow[] {
  const peersOf = groupBy(rows.filter(comparable), workOf);
  const fastest = new Map(
    [...peersOf].map(([work, peers]) => [
      work,
      peers.reduce((best, row) => (rateOf(row) > rateOf(best) ? row : best)),
    ]),
  );
  return rows.map((row) => {
    const best = fastest.get(workOf(row));
    const flag = best !== undefined && comparable(row) ? below(manifest, row, best) : null;
    return flag === null ? row : { ...row, flags: [...row.flags, flag] };
  });
}

const workOf = ({ cell }: CellRow): string => `${cell.precision} ${workKey(cell)}`;

const comparable = ({ status, measured }: CellRow): boolean =>
  status === 'ok' && measured !== null && measured.utilisations?.prefill.mfu != null;

const rateOf = ({ measured }: CellRow): number => measured!.rates[PHASE_RATE.prefill];

function below(manifest: Manifest, row: CellRow, best: CellRow): Flag | null {
  const used = best.measured!.utilisations!.prefill.mfu!;
  const ratio = rateOf(row) / rateOf(best);
  if (used < WORK_BOUND || ratio >= FAR_BELOW) return null;
  const command = manifest.engines.find(({ name }) => name === row.cell.engine)?.nativeBuild;
  const mend = command ? `; a build for this machine, if this is none: ${command}` : '';
  return {
    name: 'below-peers',
    phase: 'prefill',
    detail: `${formatNumber(ratio, 2)} times the speed of ${best.engineTitle}, which reaches ${formatPercent(used, 0)} of this machine's matrix rate${mend}`,
  };
}
