import { describe, expect, it } from 'vitest';
import { type Diagnosis, runDoctor } from '../../src/commands/doctor.ts';
import { formatDoctor } from '../../src/commands/doctor-text.ts';
import { capture, plain } from './capture.ts';

const healthy: Diagnosis = {
  machine: {
    cpuModel: 'Some CPU',
    physicalCores: 8,
    logicalCores: 16,
    cpuFeatures: ['avx2', 'fma'],
    memoryMiB: 32_768,
    os: 'Linux',
    kernel: '6.1',
    arch: 'x64',
    gpu: null,
    virtualised: false,
    cpuGovernor: 'performance',
    node: 'v20.20.0',
    ortbench: '0.1.0',
  },
  availableMiB: 30_000,
  otherLoadCores: 0.02,
  cpuMHz: null,
  loadAverage: [0.1, 0.2, 0.3],
  python: { system: '3.12', environment: '/cache/python/bin/python' },
  tools: [
    {
      name: 'C++ compiler',
      version: 'g++ 13',
      neededFor: 'engines that compile models',
      mend: 'apt install g++',
    },
  ],
  cache: { root: '/cache', artefactsMiB: 100, freeMiB: 9999 },
  engines: [
    {
      id: 'a',
      title: 'Engine A',
      device: 'cpu',
      loadsModels: true,
      availability: { available: true, versions: { lib: '1.2.3' }, notes: ['a note'] },
    },
  ],
};

describe('formatDoctor', () => {
  it('has nothing to mend where all is well', () => {
    const text = plain(formatDoctor(healthy));
    expect(text).toContain('Some CPU, 8 cores, 16 threads');
    expect(text).toContain('✓ a on cpu (Engine A): lib 1.2.3');
    expect(text).toContain('a note');
    expect(text).not.toContain('to mend');
  });

  it('names the command for each lack', () => {
    const text = plain(
      formatDoctor({
        ...healthy,
        machine: { ...healthy.machine, cpuGovernor: 'powersave', virtualised: true },
        otherLoadCores: 1.5,
        python: { system: null, environment: null },
        tools: [{ ...healthy.tools[0]!, version: null }],
        engines: [
          {
            ...healthy.engines[0]!,
            availability: { available: false, reason: 'no library', mend: 'npm install x' },
          },
        ],
      }),
    );
    expect(
      text
        .split('\n')
        .filter((line) => line.includes('to mend'))
        .map((line) => line.trim()),
    ).toEqual([
      'to mend: end what else runs: it changes every figure',
      'to mend: sudo cpupower frequency-set --governor performance',
      'to mend: apt install python3 python3-venv',
      'to mend: npx ortbench setup',
      'to mend: apt install g++',
      'to mend: npm install x',
    ]);
    expect(text).toContain('✗ a on cpu (Engine A): no library');
    expect(text).toContain('virtual machine');
  });
});

it('looks at every engine of the map, on this machine', async () => {
  const { code, stdout } = await capture(() => runDoctor({ json: true }));
  const diagnosis: Diagnosis = JSON.parse(stdout);
  const { ENGINES } = await import('../../src/engines/index.ts');
  expect(new Set(diagnosis.engines.map(({ id }) => id))).toEqual(new Set(Object.keys(ENGINES)));
  for (const { availability } of diagnosis.engines) {
    if (!availability.available) expect(availability.mend).not.toBe('');
  }
  const fit = diagnosis.engines.some((engine) => engine.loadsModels && engine.availability.available);
  expect(code).toBe(fit ? 0 : 4);
});
