/**
 * Holm (1979): p-values adjusted so that rejecting those ≤ α keeps the chance of any false rejection at α, whatever
 * their dependence. The k-th smallest of m is multiplied by m − k + 1, then made monotone and capped at 1.
 */
export function holmAdjusted(pValues: readonly number[]): number[] {
  const m = pValues.length;
  const order = pValues.map((_, i) => i).sort((a, b) => pValues[a]! - pValues[b]!);
  const adjusted = new Array<number>(m);
  let largest = 0;
  order.forEach((index, k) => {
    largest = Math.max(largest, Math.min(1, (m - k) * pValues[index]!));
    adjusted[index] = largest;
  });
  return adjusted;
}
