/** Does a series of measurements grow? Both are asked for: a trend that is no accident, and one that matters. */
const { spearman } = await import('../../dist/stats/spearman.js');
const { theilSenSlope } = await import('../../dist/stats/theil-sen.js');
const { median } = await import('../../dist/stats/descriptive.js');

/** Of no trend at all. A soak looks at some ten series. */
const LEAST_P = 0.005;
const FEWEST = 6;

/**
 * @param points [seconds, value], in order
 * @param allowance growth over the whole time that does not matter: `absolute`, or `share` of the median, whichever is more
 */
export function growthOf(points, { absolute, share }) {
  const seconds = points.map(([at]) => at);
  const values = points.map(([, value]) => value);
  const typical = median(values);
  const slope = points.length < FEWEST ? 0 : theilSenSlope(seconds, values);
  const growth = points.length < FEWEST ? 0 : slope * (seconds.at(-1) - seconds[0]);
  const { p } = spearman(seconds, values);
  const grows = points.length >= FEWEST && p < LEAST_P && growth > Math.max(absolute, share * typical);
  return { points: points.length, median: typical, growth, perHour: slope * 3600, p, grows };
}
