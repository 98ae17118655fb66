import { workKey } from '../schema/cell.ts';
import type { Manifest } from '../schema/manifest.ts';
import { PHASES, type Phase } from '../schema/vocabulary.ts';
import type { Flag } from '../stats/flags.ts';
import { PHASE_RATE } from '../stats/rates.ts';
import type { Utilisation } from '../stats/roofline.ts';
import { formatNumber, formatPercent } from '../units.ts';
import { groupBy } from './group-by.ts';
import type { CellRow } from './model.ts';

/**
 * From this share of the machine's roof on, the fastest engine's time goes into the work itself: below it into dispatch,
 * and who is slower then has more overhead and not worse kernels. Small models and short prompts never reach it.
 */
const WORK_BOUND = 0.3;
/**
 * Old compilers' float kernels were measured at 0.45 to 0.7 of the same code's from a newer one, most of them at half;
 * good libraries at the same work lie within 0.7 of each other. Between the two.
 */
const FAR_BELOW = 0.6;

/** How much of the machine a phase uses: the higher of its two roofs binds it. */
const share = ({ mbu, mfu }: Utilisation): number => Math.max(mbu, mfu ?? 0);

/** Adds a flag to each cell that is far slower than the fastest at the same work and precision, where work is what takes the time. */
export function flagBelowPeers(manifest: Manifest, rows: readonly CellRow[]): CellRow[] {
  const fastest = new Map<string, CellRow>();
  const keyOf = ({ cell }: CellRow, phase: Phase) => `${phase} ${cell.precision} ${workKey(cell)}`;
  for (const phase of PHASES) {
    for (const [key, peers] of groupBy(rows.filter(comparable), (row) => keyOf(row, phase)))
      fastest.set(
        key,
        peers.reduce((best, row) => (rateOf(row, phase) > rateOf(best, phase) ? row : best)),
      );
  }
  return rows.map((row) => {
    if (!comparable(row)) return row;
    const raised = PHASES.flatMap((phase) => below(manifest, row, fastest.get(keyOf(row, phase))!, phase));
    return raised.length === 0 ? row : { ...row, flags: [...row.flags, ...raised] };
  });
}

const comparable = ({ status, measured }: CellRow): boolean =>
  status === 'ok' && measured !== null && measured.utilisations !== null;

const rateOf = ({ measured }: CellRow, phase: Phase): number => measured!.rates[PHASE_RATE[phase]];

function below(manifest: Manifest, row: CellRow, best: CellRow, phase: Phase): Flag[] {
  const used = share(best.measured!.utilisations![phase]);
  const ratio = rateOf(row, phase) / rateOf(best, phase);
  if (used < WORK_BOUND || ratio >= FAR_BELOW) return [];
  const command = manifest.engines.find(({ name }) => name === row.cell.engine)?.nativeBuild;
  const mend = command ? `; a build for this machine, if this is none: ${command}` : '';
  return [
    {
      name: 'below-peers',
      phase,
      detail: `${formatNumber(ratio, 2)} times the speed of ${best.engineTitle}, which reaches ${formatPercent(used, 0)} of this machine's roof${mend}`,
    },
  ];
}
