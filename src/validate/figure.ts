/** One checked figure of the proof: what was asked for, what was seen. */
export interface Figure {
  /** What is claimed; figures of one claim differ in their variant alone, and share a line of the table. */
  readonly claim: string;
  readonly variant: string;
  readonly unit: 'share';
  readonly value: number;
  /** How many nights, gates or samples it rests on. */
  readonly trials: number;
  readonly atLeast: number | null;
  readonly atMost: number | null;
  readonly holds: boolean;
  /** Mean first-stage pairs, where the gate ran. */
  readonly meanPairs: number | null;
}

export interface Scenario {
  readonly claim: string;
  readonly variant: string;
  run(nights: number): Figure;
}

interface Bounds {
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** A figure of that scenario, held against its bounds. */
export function judged(
  { claim, variant }: Pick<Scenario, 'claim' | 'variant'>,
  value: number,
  trials: number,
  { atLeast, atMost }: Bounds,
  meanPairs: number | null = null,
): Figure {
  const holds =
    trials > 0 && (atLeast === undefined || value >= atLeast) && (atMost === undefined || value <= atMost);
  const bounds = { atLeast: atLeast ?? null, atMost: atMost ?? null };
  return { claim, variant, unit: 'share', value, trials, ...bounds, holds, meanPairs };
}
