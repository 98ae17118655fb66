import { describe, expect, it } from 'vitest';
import { describeDevice, deviceEffective, firstDevice, unavailable } from '../../src/engines/device-check.ts';
import { ENGINES } from '../../src/engines/index.ts';
import { flagsOf } from '../../src/stats/flags.ts';

const software = { name: 'llvmpipe', driver: 'Mesa 22', memoryMiB: null, freeMiB: null, software: true };
const gpu = { name: 'NVIDIA H200', driver: 'NVIDIA 580', memoryMiB: 9, freeMiB: 8, software: false };

describe('what an engine asks of a device', () => {
  it('is the first one, or what is missing for it', async () => {
    expect(await firstDevice('cuda', async () => ({ devices: [gpu, software] }))).toEqual({ device: gpu });
    expect(await firstDevice('cuda', async () => ({ missing: 'no driver', mend: 'x' }))).toEqual({
      lack: { reason: 'no driver', mend: 'x' },
    });
  });

  it('names all that is missing at once, each cure once', () => {
    const lacks = [
      { reason: 'no driver', mend: 'install it' },
      { reason: 'no library', mend: 'build it' },
      { reason: 'no luck', mend: 'build it' },
    ];
    expect(unavailable(lacks)).toEqual({
      available: false,
      reason: 'no driver; no library; no luck',
      mend: 'install it; build it',
    });
  });

  it('goes into the record, and a software renderer is flagged', () => {
    expect(describeDevice(gpu)).toBe('device: NVIDIA H200 (NVIDIA 580)');
    expect(describeDevice(software)).toMatch(/not how fast$/);
    expect(flagsOf([], deviceEffective(gpu))).toEqual([]);
    expect(flagsOf([], deviceEffective(software)).map(({ name }) => name)).toEqual(['software-device']);
  });
});

describe('every engine on every device', () => {
  it('is available, or says what it lacks and what mends that', async () => {
    for (const load of Object.values(ENGINES)) {
      const engine = await load();
      for (const device of ['cuda', 'webgpu'] as const) {
        const probe = await engine.probe(device, engine.options.parse({}));
        if (probe.available) continue;
        expect(probe.reason, `${engine.meta.id} on ${device}`).toMatch(/\w{4}/);
        expect(probe.mend.length, `${engine.meta.id} on ${device}`).toBeGreaterThan(3);
      }
    }
  }, 120_000);
});
