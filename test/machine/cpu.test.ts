import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { parseCpuInfo, physicalCores } from '../../src/machine/cpu.ts';

const x86 = (
  processor: number,
  socket: number,
  core: number,
  flags = 'fpu avx2 fma hypervisor avx512_bf16 smep',
) =>
  `processor\t: ${processor}\nmodel name\t: Some CPU @ 3.00GHz\nphysical id\t: ${socket}\ncore id\t\t: ${core}\nflags\t\t: ${flags}\n`;

describe('parseCpuInfo', () => {
  it('counts hyperthreads once and sockets apart', () => {
    const text = [x86(0, 0, 0), x86(1, 0, 1), x86(2, 0, 0), x86(3, 0, 1), x86(4, 1, 0), x86(5, 1, 1)].join(
      '\n',
    );
    expect(parseCpuInfo(text)).toEqual({
      model: 'Some CPU @ 3.00GHz',
      physicalCores: 4,
      features: ['avx2', 'avx512_bf16', 'fma'],
      virtualised: true,
    });
  });

  it('sees a machine that is none of a hypervisor', () => {
    expect(parseCpuInfo(x86(0, 0, 0, 'fpu avx2')).virtualised).toBe(false);
  });

  it('reads ARM, which names neither model nor cores', () => {
    const text =
      'processor\t: 0\nBogoMIPS\t: 50.00\nFeatures\t: fp asimd asimddp i8mm bf16 sve2 paca\n\nprocessor\t: 1\n';
    expect(parseCpuInfo(text)).toEqual({
      model: null,
      physicalCores: null,
      features: ['asimd', 'asimddp', 'bf16', 'i8mm', 'sve2'],
      virtualised: null,
    });
  });

  it('takes nothing from nothing', () => {
    expect(parseCpuInfo('')).toEqual({ model: null, physicalCores: null, features: [], virtualised: null });
  });
});

it('never offers more threads than this process may use, nor none', () => {
  expect(physicalCores()).toBeGreaterThanOrEqual(1);
  expect(physicalCores()).toBeLessThanOrEqual(availableParallelism());
});
