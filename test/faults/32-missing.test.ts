import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Diagnosis } from '../../src/commands/doctor.ts';
import { outcomesOf, variant, Workplace } from '../fixtures/workplace.ts';

const LACKS: readonly [string, (place: Workplace) => Record<string, string>, RegExp, RegExp][] = [
  [
    'no Python at all',
    (place) => {
      // A PATH with nothing on it but Node.
      const bin = join(place.dir, 'bin');
      mkdirSync(bin);
      symlinkSync(process.execPath, join(bin, 'node'));
      return { PATH: bin, ORTBENCH_CACHE: join(place.dir, 'cache') };
    },
    /Python environment is not made yet|no python3 was found/,
    /npx ortbench setup|apt install python3/,
  ],
  [
    'an environment that is not there',
    (place) => ({ ORTBENCH_PYTHON: join(place.dir, 'nowhere'), ORTBENCH_CACHE: join(place.dir, 'cache') }),
    /ORTBENCH_PYTHON names no Python environment/,
    /name the folder of an environment/,
  ],
];

describe.each(LACKS)('32: %s', (_, lacking, reason, mend) => {
  it('doctor says what is missing and the command that mends it', async () => {
    const place = new Workplace();
    const { stdout, stderr } = await place.run(['doctor', '--json'], { env: lacking(place) });
    const diagnosis: Diagnosis = JSON.parse(stdout);
    const eager = diagnosis.engines.find(({ id, device }) => id === 'pytorch-eager' && device === 'cpu')!;
    expect(eager.availability, stderr).toMatchObject({ available: false });
    if (eager.availability.available) return;
    expect(eager.availability.reason).toMatch(reason);
    expect(eager.availability.mend).toMatch(mend);
    // Others need no Python.
    expect(diagnosis.engines.some(({ availability }) => availability.available)).toBe(true);
    await place.expectNothingLeft();
  });

  it('a sweep says so at its start, and the other engines still run', async () => {
    const place = new Workplace();
    place.config('run.yaml', { engines: [variant('sound'), 'pytorch-eager'], batchSizes: [1] });
    const { code, stderr } = await place.run(['sweep', 'run.yaml', '--out', 'out'], { env: lacking(place) });
    expect(code, stderr).toBe(4);
    expect(stderr).toMatch(reason);
    expect(stderr).toMatch(mend);
    const { manifest, records } = await place.results();
    expect(outcomesOf(records).map(({ cell, status }) => [cell.engine, status])).toEqual([['sound', 'ok']]);
    const lacks = manifest.cells.find(({ cell }) => cell.engine === 'pytorch-eager')!;
    expect(lacks.status).toBe('unavailable');
    expect(lacks.reason).toMatch(mend);
    await place.expectNothingLeft();
  });
});
