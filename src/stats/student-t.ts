/**
 * Student's t for whole degrees of freedom, by the finite series of Abramowitz & Stegun 26.7.3 and 26.7.4: exact but
 * for rounding, which no approximation of the incomplete beta function in npm's small libraries is.
 */

/** P(|T| ≤ t) for ν degrees of freedom. */
export function twoSidedProbability(t: number, degrees: number): number {
  if (!Number.isInteger(degrees) || degrees < 1) throw new RangeError(`degrees of freedom: ${degrees}`);
  const size = Math.abs(t);
  if (size === Number.POSITIVE_INFINITY) return 1;
  const theta = Math.atan(size / Math.sqrt(degrees));
  const cosine = Math.cos(theta);
  const sine = Math.sin(theta);
  const odd = degrees % 2 === 1;
  if (degrees === 1) return (2 * theta) / Math.PI;
  // The series runs over powers of cos² up to ν − 2 (odd: cos^1, cos^3, …; even: cos^0, cos^2, …).
  let term = odd ? cosine : 1;
  let sum = term;
  for (let power = odd ? 3 : 2; power <= degrees - 2; power += 2) {
    term *= ((power - 1) / power) * cosine * cosine;
    sum += term;
  }
  return odd ? (2 / Math.PI) * (theta + sine * sum) : sine * sum;
}

/** The t that |T| stays within with the given probability: quantile (1 + probability)/2. */
export function twoSidedQuantile(probability: number, degrees: number): number {
  if (!(probability >= 0 && probability < 1)) throw new RangeError(`probability: ${probability}`);
  let low = 0;
  let high = 1;
  while (twoSidedProbability(high, degrees) < probability) high *= 2;
  // The function is monotone: bisection ends when no double lies between the bounds.
  for (;;) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) return middle;
    if (twoSidedProbability(middle, degrees) < probability) low = middle;
    else high = middle;
  }
}
