import { median } from '../stats/descriptive.ts';
import { eDivisive } from '../stats/e-divisive.ts';
import type { Change, FactChange, Facts, HistoryRun, Point, Segment } from './model.ts';

/**
 * Three nights in a row are no accident. With so few on one side a change is seen from about twelve runs on; below ten
 * runs no order of them is rare enough for the level.
 */
const RULE = { minSize: 3, level: 0.01, permutations: 199, seed: 1 } as const;
export const FEWEST_RUNS = 10;
/** The search takes time and memory with the square of the runs; only so many, the newest, are looked at. */
export const MOST_RUNS = 300;
/** A change may be found a run or two beside where it happened, so facts are looked for that far. */
const NEIGHBOURS = [0, -1, 1, -2, 2] as const;

interface Found {
  /** Index of its first point among those with a rate. */
  readonly index: number;
  readonly p: number;
}

/**
 * Change points in the logarithms of a line's rates, and the levels between them. Points without a rate are passed over.
 * @param least smallest change that is kept, as a share: of smaller ones the smallest goes first, and levels are taken anew
 */
export function changesOf(
  points: readonly Point[],
  runs: readonly Pick<HistoryRun, 'id' | 'at'>[],
  least: number,
): { segments: Segment[]; changes: Change[] } {
  const rated = points.flatMap(({ rate }, point) => (rate !== null && rate > 0 ? { point, rate } : []));
  const skipped = Math.max(0, rated.length - MOST_RUNS);
  const logs = rated.slice(skipped).map(({ rate }) => Math.log(rate));
  let found: Found[] = eDivisive(logs, RULE).map(({ index, p }) => ({ index: index + skipped, p }));
  const levels = (changes: readonly Found[]) => {
    const bounds = [0, ...changes.map(({ index }) => index), rated.length];
    return bounds.slice(1).map((end, i) => median(rated.slice(bounds[i]!, end).map(({ rate }) => rate)));
  };
  const size = (at: readonly number[], i: number) => Math.abs(Math.log(at[i + 1]! / at[i]!));
  for (;;) {
    const at = levels(found);
    const smallest = found
      .map((_, i) => i)
      .reduce<number>((best, i) => (best < 0 || size(at, i) < size(at, best) ? i : best), -1);
    if (smallest < 0 || size(at, smallest) >= Math.log1p(least)) break;
    found = found.filter((_, i) => i !== smallest);
  }
  const at = levels(found);
  const starts = [0, ...found.map(({ index }) => index)];
  const segments =
    rated.length === 0
      ? []
      : starts.map((start, i) => ({
          first: rated[start]!.point,
          last: rated[(starts[i + 1] ?? rated.length) - 1]!.point,
          level: at[i]!,
        }));
  const named = (point: number) => {
    const { id, at: time } = runs[points[point]!.run]!;
    return { run: id, at: time };
  };
  const changes = found.map(({ index, p }, i) => ({
    point: rated[index]!.point,
    before: named(rated[index - 1]!.point),
    after: named(rated[index]!.point),
    from: at[i]!,
    to: at[i + 1]!,
    ratio: at[i + 1]! / at[i]!,
    p,
    beside: factChanges(
      rated.map(({ point }) => points[point]!.facts),
      index,
    ),
  }));
  return { segments, changes };
}

/** What was another thing on the two sides of a change, or of a neighbouring step. Nearest first. */
function factChanges(facts: readonly Facts[], index: number): FactChange[] {
  const seen = new Set<string>();
  return NEIGHBOURS.flatMap((offset) => {
    const before = facts[index + offset - 1];
    const after = facts[index + offset];
    if (before === undefined || after === undefined || before === after) return [];
    return [...new Set([...Object.keys(before), ...Object.keys(after)])]
      .filter((fact) => before[fact] !== after[fact] && !seen.has(fact))
      .sort()
      .map((fact) => {
        seen.add(fact);
        return { fact, from: before[fact] ?? null, to: after[fact] ?? null, offset };
      });
  });
}
