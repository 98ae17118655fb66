import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { expect, test } from 'vitest';
import { normalStream } from '../../src/gate/normal-stream.ts';
import { bestSplit, eDivisive } from '../../src/stats/e-divisive.ts';

const OPTIONS = { minSize: 3, level: 0.01, permutations: 499, seed: 1 };

/** Every τ and κ by the paper's formula, with means over NumPy 1.26's difference matrices: values, least size, τ, q̂. */
const BRUTE_FORCE: readonly (readonly [number[], number, number, number])[] = [
  [
    [-0.1604, -0.2649, -0.0497, 0.0841, 0.2272, 0.0219, -0.1105, -0.157, 0.6497, 0.827, 0.5546, 0.2533],
    2,
    8,
    2.371418181818182,
  ],
  [
    [
      -0.1917, 0.32, 0.0406, -0.3464, -0.0167, -0.2326, -0.1259, -0.0976, -0.1427, 0.1107, -0.0126, -0.1179,
      0.0819, 0.166, -0.3286,
    ],
    3,
    9,
    0.20968214285714298,
  ],
  [
    [
      -0.0513, -0.1961, -0.0346, -0.2579, 0.0041, -0.0076, -0.0609, -0.2096, -0.0792, -0.2183, -0.271, 0.045,
      -0.2219, 0.2341, 0.1433, -0.3996, 0.0544, -0.2203, 0.0066, 0.0087, -0.0977, 0.2533, 0.2488, 0.4924,
      0.0637, 0.4476, 0.0802, 0.2337, 0.1319, 0.5897,
    ],
    3,
    21,
    2.225788666666667,
  ],
  [
    [
      0.1136, 0.4863, 0.1284, 0.169, 0.1681, -0.1213, -0.014, 0.2701, -0.0793, 0.0378, -0.0042, 0.1218,
      -0.073, -0.0305, 0.0485, 0.0206, -0.173, 0.1792, -0.2597, -0.2402, -0.2565, 0.1934, -0.0721, -0.1942,
      -0.2272, 0.0842, -1.211, -1.2544, -0.8772, -1.2393, -1.0645, -1.0014, -1.0891, -1.0108, -0.7322,
      -1.1034, -1.2519, -1.3673, -1.041, -1.0705,
    ],
    5,
    26,
    16.481549599999997,
  ],
  [
    [
      0.0265, -0.0464, -0.0479, -0.0721, -0.052, 0.016, -0.038, 0.01, 1.1901, 1.0479, 0.8424, 1.1734, 1.0348,
      0.9059, 0.0907, 0.0018, -0.0615, -0.0634, -0.0993, 0.0048, 0.1069, -0.0325, 0.0421, 0.1876,
    ],
    3,
    8,
    6.521960816326531,
  ],
];

test.each(BRUTE_FORCE)(
  'the best split of %j is that of a brute-force search',
  (values, minSize, index, statistic) => {
    const split = bestSplit(values, minSize);
    expect(split.index).toBe(index);
    expect(Math.abs(split.statistic - statistic)).toBeLessThan(1e-9);
  },
);

test('a series of two parts has the energy statistic of signal-processing-algorithms 2.1.6', () => {
  // get_energy_statistics([1, 2, 3, 5], [4, 6, 7, 9]): e=4.125, with within-part means over n² pairs.
  const x = [1, 2, 3, 5];
  const y = [4, 6, 7, 9];
  const sum = (a: number[], b: number[]) =>
    a.flatMap((u) => b.map((v) => Math.abs(u - v))).reduce((s, d) => s + d);
  const between = (2 * sum(x, y)) / 16;
  expect(between - sum(x, x) / 16 - sum(y, y) / 16).toBeCloseTo(4.125, 12);
  // Means over pairs of different values instead, as the paper has them.
  const q = (16 / 8) * (between - sum(x, x) / 12 - sum(y, y) / 12);
  expect(bestSplit([...x, ...y], 4)).toEqual({ index: 4, statistic: expect.closeTo(q, 12) });
});

test("the Nile's annual flow changed once, in 1899 (Cobb 1978; signal-processing-algorithms finds 28 too)", () => {
  // prettier-ignore
  const flow = [
    1120, 1160, 963, 1210, 1160, 1160, 813, 1230, 1370, 1140, 995, 935, 1110, 994, 1020, 960, 1180, 799, 958,
    1140, 1100, 1210, 1150, 1250, 1260, 1220, 1030, 1100, 774, 840, 874, 694, 940, 833, 701, 916, 692, 1020,
    1050, 969, 831, 726, 456, 824, 702, 1120, 1100, 832, 764, 821, 768, 845, 864, 862, 698, 845, 744, 796,
    1040, 759, 781, 865, 845, 944, 984, 897, 822, 1010, 771, 676, 649, 846, 812, 742, 801, 1040, 860, 874,
    848, 890, 744, 749, 838, 1050, 918, 986, 797, 923, 975, 815, 1020, 906, 901, 1170, 912, 746, 919, 718,
    714, 740,
  ];
  const changes = eDivisive(flow, OPTIONS);
  expect(changes).toEqual([{ index: 28, p: expect.any(Number) }]);
  expect(1871 + changes[0]!.index).toBe(1899);
  expect(changes[0]!.p).toBeLessThanOrEqual(0.01);
});

const series = (seed: number, levels: readonly number[], sigma: number): number[] => {
  const normal = normalStream(xoroshiro128plus(seed));
  return levels.map((level) => level + sigma * normal());
};
const repeat = (level: number, times: number): number[] => new Array<number>(times).fill(level);

test('a rise that is taken back is two changes, and the answer is the same each time', () => {
  const values = series(3, [...repeat(0, 20), ...repeat(0.06, 10), ...repeat(0, 20)], 0.01);
  const once = eDivisive(values, OPTIONS);
  expect(once.map(({ index }) => index)).toEqual([20, 30]);
  expect(eDivisive(values, OPTIONS)).toEqual(once);
});

test('false alarms stay below the level, and shifts of three sigma are found where they are', () => {
  const trials = 200;
  let alarms = 0;
  let found = 0;
  for (let seed = 1; seed <= trials; seed++) {
    if (eDivisive(series(seed, repeat(0, 40), 0.02), OPTIONS).length > 0) alarms++;
    const shifted = series(seed, [...repeat(0, 30), ...repeat(0.06, 10)], 0.02);
    if (eDivisive(shifted, OPTIONS).some(({ index }) => Math.abs(index - 30) <= 1)) found++;
  }
  // Binomial: seven or more of 200 at a level of .01 has a probability of .004.
  expect(alarms).toBeLessThan(7);
  expect(found / trials).toBeGreaterThan(0.95);
});

test('short, constant and empty series have no change', () => {
  for (const values of [[], [1], [1, 2, 3, 9, 9], repeat(5, 50)])
    expect(eDivisive(values, OPTIONS)).toEqual([]);
  expect(bestSplit([1, 2, 3], 2).index).toBe(-1);
});
