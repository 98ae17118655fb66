import { expect, it } from 'vitest';
import { lastCachesMiB, measureRoofline } from '../../../src/machine/roofline/measure.ts';

const program = (script: string) => ({ file: process.execPath, args: ['-e', script, '--'], env: {} });
const figures = {
  bandwidth: [{ workingSetBytes: 1024, bytesPerSecond: 5e9, kernel: 'k' }],
  matrix: { fp32: { operationsPerSecond: 1e9, kernel: 'k' }, fp16: null, bf16: null, int8: null },
  versions: {},
};

it('hands threads and the largest working set to the program, and keeps what it prints', async () => {
  const script = `
    const [threads, largest] = process.argv.slice(1).map((text) => Number(text.split('=')[1]));
    const figures = ${JSON.stringify(figures)};
    figures.versions = { threads: String(threads), large: String(largest >= 1) };
    console.log(JSON.stringify(figures));`;
  const roofline = await measureRoofline(program(script), 3);
  expect(roofline).toMatchObject({ ...figures, threads: 3, versions: { threads: '3', large: 'true' } });
  expect(roofline.seconds).toBeGreaterThan(0);
});

it('says what the program said when it fails', async () => {
  await expect(
    measureRoofline(program('console.error("no torch here"); process.exit(3)'), 1),
  ).rejects.toThrow(/no torch here/);
  await expect(measureRoofline(program('console.log("{}")'), 1)).rejects.toThrow(/no figures/);
});

it('counts the last caches once each', () => {
  const cache: Record<string, string> = {};
  for (const cpu of [0, 1, 2, 3]) {
    const folder = (index: number) => `/sys/devices/system/cpu/cpu${cpu}/cache/index${index}`;
    Object.assign(cache, {
      [`${folder(0)}/level`]: '2\n',
      [`${folder(0)}/size`]: '1024K\n',
      [`${folder(0)}/shared_cpu_list`]: `${cpu}\n`,
      [`${folder(1)}/level`]: '3\n',
      [`${folder(1)}/size`]: '32768K\n',
      [`${folder(1)}/shared_cpu_list`]: cpu < 2 ? '0-1\n' : '2-3\n',
    });
  }
  expect(lastCachesMiB((path) => cache[path] ?? '', 4)).toBe(64);
  expect(lastCachesMiB(() => '', 4)).toBe(0);
});
