/** More sweeps change the estimate by less than the tolerances care for: the singular values of noise lie close. */
const SWEEPS = 12;

/**
 * Root mean square, per value, of the part of `rows` [n × width] that lies along the one direction they share most: the
 * largest singular value σ₁, as σ₁ / √(n·width). Rounding errors of different positions share no direction, so that
 * little is left of them; a wrong row of weights pushes every position the same way, and all of it is left.
 * By power iteration on rowsᵀ·rows: from below, and never more than the root mean square of all values.
 */
export function commonDirectionRms(rows: Float32Array, width: number): number {
  const count = rows.length / width;
  let direction = startingDirection(rows, width);
  let singular = 0;
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const next = new Float64Array(width);
    let squared = 0;
    for (let row = 0; row < count; row++) {
      const offset = row * width;
      let along = 0;
      for (let i = 0; i < width; i++) along += rows[offset + i]! * direction[i]!;
      squared += along * along;
      for (let i = 0; i < width; i++) next[i]! += along * rows[offset + i]!;
    }
    singular = Math.sqrt(squared);
    const length = Math.sqrt(squaredNorm(next));
    if (length === 0) break;
    direction = next.map((value) => value / length);
  }
  return singular / Math.sqrt(rows.length);
}

/** The largest row: it cannot be orthogonal to what is in the rows, as a constant start could. */
function startingDirection(rows: Float32Array, width: number): Float64Array {
  let largest = -1;
  let start = 0;
  for (let offset = 0; offset < rows.length; offset += width) {
    const squared = squaredNorm(rows.subarray(offset, offset + width));
    if (squared > largest) {
      largest = squared;
      start = offset;
    }
  }
  const norm = Math.sqrt(largest);
  const direction = Float64Array.from(rows.subarray(start, start + width));
  return norm > 0 ? direction.map((value) => value / norm) : direction;
}

function squaredNorm(values: Float32Array | Float64Array): number {
  let total = 0;
  for (const value of values) total += value * value;
  return total;
}
