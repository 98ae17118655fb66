import { existsSync, readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { expect, it } from 'vitest';
import { captureEnvironment } from '../../src/machine/environment.ts';
import { availableMemoryMiB, memoryMiB } from '../../src/machine/memory.ts';
import { environmentSchema } from '../../src/schema/manifest.ts';

it('fits the manifest, and holds no variable of the environment', async () => {
  process.env.HF_TOKEN = 'canary-5f3759df';
  try {
    const environment = await captureEnvironment();
    expect(environmentSchema.parse(environment)).toEqual(environment);
    expect(JSON.stringify(environment)).not.toContain('canary');
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    expect(environment.ortbench).toBe(version);
    if (existsSync('.git')) expect(environment.ortbenchCommit).toMatch(/^[0-9a-f]{12}(-dirty)?$/);
  } finally {
    delete process.env.HF_TOKEN;
  }
});

it('knows the memory that this process may use', () => {
  expect(memoryMiB()).toBeGreaterThan(100);
  expect(memoryMiB()).toBeLessThanOrEqual(Math.round(totalmem() / 2 ** 20));
  expect(availableMemoryMiB()).toBeLessThanOrEqual(memoryMiB());
  expect(availableMemoryMiB()).toBeGreaterThan(0);
});
