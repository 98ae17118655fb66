import { describe, expect, it } from 'vitest';
import { describeOverhead } from '../../src/report/describe.ts';
import { harnessUse, timeUse } from '../../src/stats/harness.ts';

const end = (wallNs: number, engineNs: number, stages?: [string, number, number][]) => ({
  kind: 'end' as const,
  interrupted: false,
  wallNs,
  engineNs,
  ...(stages && {
    stages: stages.map(([stage, wall, engine]) => ({ stage, wallNs: wall, engineNs: engine })),
  }),
});

describe('timeUse', () => {
  it('adds up the attempts of a run, stage by stage', () => {
    const first = end(9e9, 7e9, [
      ['measuring', 7e9, 7e9],
      ['recording', 2e9, 0],
    ]);
    const second = end(5e9, 1e9, [
      ['measuring', 1e9, 1e9],
      ['recording', 4e9, 0],
    ]);
    const use = timeUse([first, second])!;
    expect(use).toEqual({
      wallNs: 14e9,
      engineNs: 8e9,
      stages: [
        { stage: 'measuring', wallNs: 8e9, engineNs: 8e9 },
        { stage: 'recording', wallNs: 6e9, engineNs: 0 },
      ],
    });
    expect(describeOverhead(use)).toBe('Outside of the engines: 6 s recording');
  });

  it('tells no stages where an attempt did not, and nothing without an end', () => {
    expect(timeUse([end(9e9, 7e9), end(1e9, 1e9, [['measuring', 1e9, 1e9]])])?.stages).toEqual([]);
    expect(timeUse([])).toBeNull();
    expect(describeOverhead({ stages: [] })).toBe('');
  });
});

it('harnessUse is the median and the highest of what samples tell', () => {
  const samples = [0.01, null, 0.5, 0.02].map((harnessCores) => ({ harnessCores }));
  expect(harnessUse(samples)).toEqual({ typicalCores: 0.02, highestCores: 0.5 });
  expect(harnessUse([{ harnessCores: null }])).toBeNull();
});
