import { expect, test } from 'vitest';
import { pairCells } from '../../src/gate/pairs.ts';
import { fingerprintDifferences, judgeStored } from '../../src/gate/stored.ts';
import { reportOf } from './fixtures.ts';

const side = (report: ReturnType<typeof reportOf>) => ({
  variant: { engine: 'new', precision: null } as const,
  reports: [report],
});
const before = side(reportOf({ rounds: 12 }));
const judge = (speed: number, sameMachine: boolean) => {
  const now = side(reportOf({ rounds: 15, seed: 7, speed: [speed, speed] }));
  return judgeStored(pairCells(before, now).cells, before, now, sameMachine);
};

test('on the same machine an unpaired verdict, labelled as such', () => {
  for (const row of judge(1 / 1.1, true)) {
    expect(row.verdict).toBe('regression');
    expect(row.reason).toContain('unpaired');
    expect(row.slowdown!.estimate).toBeCloseTo(1.1, 1);
  }
  for (const { verdict } of judge(1, true)) expect(verdict).toBe('ok');
});

test('on another machine a warning at most', () => {
  for (const speed of [1 / 1.1, 1]) {
    for (const row of judge(speed, false)) {
      expect(row.verdict).toBe('inconclusive');
      expect(row.reason).toContain('another machine');
    }
  }
});

test('says what differs between two machines', () => {
  const { manifest } = reportOf({});
  expect(fingerprintDifferences(manifest, manifest)).toEqual([]);
  const other = {
    ...manifest,
    threads: 8,
    environment: { ...manifest.environment, cpuModel: 'Another', cpuFeatures: ['avx2'] },
  };
  expect(fingerprintDifferences(manifest, other).join('; ')).toMatch(
    /cpuModel was .*Another.*avx2.*threads were 2 and are 8/,
  );
});
