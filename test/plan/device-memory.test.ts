import { describe, expect, it } from 'vitest';
import { predictDeviceMemory } from '../../src/plan/device-memory.ts';
import { memoryRoom } from '../../src/plan/facts.ts';
import { planSweep } from '../../src/plan/plan.ts';
import { facts, loaded, meta, metas, shape } from './fixtures.ts';

const everything = { fp32: true, fp16: true, bf16: true, int4: true } as const;
const gpu = metas(meta('a', { precisions: { cpu: everything, cuda: everything } }));
const plan = (device: { memoryMiB: number | null; freeMiB: number | null } | undefined) =>
  planSweep(loaded({ device: 'cuda', precisions: ['fp16'] }), gpu, {
    ...facts,
    ...(device && { device: { name: 'GPU', ...device } }),
  }).cells[0]!;

describe("the device's memory", () => {
  it('holds weights, cache and activations; the host what passes through', () => {
    const cell = { ...plan(undefined).cell, batchSize: 4, promptLength: { length: 1000, spread: 0 } };
    const { deviceMiB, hostMiB } = predictDeviceMemory(cell, shape, meta('a'));
    const weights = (shape.parameters * 2) / 2 ** 20;
    const kv = (2 * shape.layers * shape.kvHeads * shape.headSize * 2 * 4 * 1256) / 2 ** 20;
    expect(deviceMiB).toBeGreaterThan(500 + weights + kv);
    expect(deviceMiB).toBeLessThan(500 + weights + kv + 200);
    expect(hostMiB).toBeLessThan(deviceMiB);
    const int4 = predictDeviceMemory({ ...cell, precision: 'int4' }, shape, meta('a'));
    expect(int4.deviceMiB).toBeLessThan(deviceMiB + 32);
    const none = predictDeviceMemory(cell, shape, meta('a', { artefact: 'none' }));
    expect(none.deviceMiB).toBe(0);
  });

  it('limits what stays loaded together', () => {
    const room = (memoryMiB: number | null, freeMiB: number | null) =>
      memoryRoom({ ...facts, device: { name: 'GPU', memoryMiB, freeMiB } });
    expect(room(8000, 7000)).toEqual({ hostMiB: facts.memoryMiB, deviceMiB: 7000 });
    expect(room(8000, null).deviceMiB).toBe(8000);
    expect(room(null, null).deviceMiB).toBeNull();
    const cell = plan({ memoryMiB: 8000, freeMiB: 7000 });
    const { hostMiB, deviceMiB } = predictDeviceMemory(cell.cell, shape, meta('a'));
    expect(cell).toMatchObject({ hostMiB, deviceMiB });
  });

  it('decides which cells are planned, where the driver tells', () => {
    expect(plan(undefined)).toMatchObject({ status: 'planned' });
    expect(plan({ memoryMiB: null, freeMiB: null })).toMatchObject({ status: 'planned' });
    expect(plan({ memoryMiB: 8000, freeMiB: 7000 })).toMatchObject({ status: 'planned' });
    expect(plan({ memoryMiB: 400, freeMiB: 400 })).toMatchObject({
      status: 'skipped',
      reason: expect.stringMatching(/of the device's memory; GPU has 400 MiB$/),
    });
    expect(plan({ memoryMiB: 8000, freeMiB: 100 })).toMatchObject({
      status: 'skipped',
      reason: expect.stringMatching(/only 100 MiB of GPU is free now$/),
    });
  });
});
