import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import {
  type MachineIdentity,
  machineFingerprint,
  machineIdentity,
} from '../../../src/machine/fingerprint.ts';
import { bestOf, profilePath, readProfile, writeProfile } from '../../../src/machine/roofline/profile.ts';
import type { Roofline } from '../../../src/schema/roofline.ts';

const NOW = new Date('2026-03-10T12:00:00Z');
const rate = (operationsPerSecond: number) => ({ operationsPerSecond, kernel: 'k' });
const roofline: Roofline = {
  bandwidth: [{ workingSetBytes: 1024, bytesPerSecond: 5e9, kernel: 'k' }],
  matrix: { fp32: rate(1e9), fp16: null, bf16: rate(2e9), int8: null },
  versions: { torch: '2' },
  threads: 2,
  measuredAt: '2026-03-01T12:00:00Z',
  seconds: 5,
  otherLoadCores: 0.01,
};
const machine: MachineIdentity = { ...machineIdentity(), kernel: '6.1', microcode: '0x1' };

beforeEach(() => {
  vi.stubEnv('ORTBENCH_CACHE', mkdtempSync(join(tmpdir(), 'ortbench-profile-')));
});
afterEach(() => {
  vi.unstubAllEnvs();
});

it('keeps a measurement for this machine and number of threads', async () => {
  expect(await readProfile(machine, 2, NOW)).toEqual({ missing: 'not measured yet' });
  await writeProfile(machine, roofline);
  expect(await readProfile(machine, 2, NOW)).toEqual({ roofline });
  expect(await readProfile(machine, 4, NOW)).toEqual({ missing: 'not measured yet' });
  expect(await readProfile({ ...machine, cpu: 'another' }, 2, NOW)).toEqual({ missing: 'not measured yet' });
});

it('is measured again when it is old, or kernel or microcode are others, and says which', async () => {
  await writeProfile(machine, roofline);
  const missing = async (identity: MachineIdentity, now: Date) =>
    ((await readProfile(identity, 2, now)) as { missing?: string }).missing;
  expect(await missing(machine, new Date('2026-05-01T12:00:00Z'))).toBe('measured 61 days ago');
  expect(await missing(machine, new Date('2026-01-01T12:00:00Z'))).toMatch(/days ago/);
  expect(await missing({ ...machine, kernel: '6.2' }, NOW)).toBe('the kernel was 6.1 and is 6.2');
  expect(await missing({ ...machine, microcode: null }, NOW)).toMatch(/microcode was 0x1 and is unknown/);
  writeFileSync(profilePath(machine, 2), '{"format": 0}');
  expect(await missing(machine, NOW)).toMatch(/another version/);
  writeFileSync(profilePath(machine, 2), '{torn');
  expect(await missing(machine, NOW)).toMatch(/another version/);
});

it('does not take a measurement beside other work for the roof', async () => {
  const disturbed = { ...roofline, otherLoadCores: 1.4 };
  await writeProfile(machine, disturbed);
  expect(await readProfile(machine, 2, NOW)).toEqual({
    missing: expect.stringMatching(/disturbed/),
    disturbed,
  });
});

it('takes the better figure of two measurements', () => {
  const other: Roofline = {
    ...roofline,
    bandwidth: [{ workingSetBytes: 1024, bytesPerSecond: 7e9, kernel: 'other' }],
    matrix: { fp32: rate(5e8), fp16: rate(1), bf16: rate(3e9), int8: null },
    otherLoadCores: 1,
  };
  expect(bestOf(roofline, other)).toEqual({
    ...roofline,
    bandwidth: other.bandwidth,
    matrix: { fp32: rate(1e9), fp16: rate(1), bf16: rate(3e9), int8: null },
  });
});

it('tells machines apart by what decides their speed, and no update for another machine', () => {
  expect(machineFingerprint({ ...machine, kernel: '7', microcode: null })).toBe(machineFingerprint(machine));
  expect(machineFingerprint({ ...machine, logicalCores: 99 })).not.toBe(machineFingerprint(machine));
});
