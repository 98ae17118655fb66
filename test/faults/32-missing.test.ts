import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Diagnosis } from '../../src/commands/doctor.ts';
import { outcomesOf, type StartOptions, variant, Workplace } from '../fixtures/workplace.ts';
import { makeFakePython } from '../python/fake-python.ts';

const MINUTES = 60_000;

interface Lack {
  readonly what: string;
  /** Makes a place that lacks it, and says how to run the program there. */
  readonly make: (place: Workplace) => Promise<StartOptions> | StartOptions;
  readonly engine: string;
  readonly reason: RegExp;
  readonly mend: RegExp;
}

/** Nothing that was installed for the machine is found. */
const emptyCache = (place: Workplace) => ({ ORTBENCH_CACHE: join(place.dir, 'cache'), ORTBENCH_PYTHON: '' });

/** Has Node find no package of that scope. */
const withoutPackages = (scope: string) =>
  `data:text/javascript,${encodeURIComponent(`
    import Module from 'node:module';
    const resolve = Module._resolveFilename;
    Module._resolveFilename = function (request, ...rest) {
      if (request.startsWith('${scope}/'))
        throw Object.assign(new Error('Cannot find module ' + request), { code: 'MODULE_NOT_FOUND' });
      return resolve.call(this, request, ...rest);
    };
  `)}`;

const LACKS: readonly Lack[] = [
  {
    what: 'no Python at all',
    make: (place) => {
      // A PATH with nothing on it but Node.
      const bin = join(place.dir, 'bin');
      mkdirSync(bin);
      symlinkSync(process.execPath, join(bin, 'node'));
      return { env: { ...emptyCache(place), PATH: bin } };
    },
    engine: 'pytorch-eager',
    reason: /no python3 was found/,
    mend: /apt install python3/,
  },
  {
    what: 'a Python that is too old',
    make: async (place) => {
      const bin = await makeFakePython(place.dir);
      const env = { FAKE_PYTHON_VERSION: '3.9', FAKE_PYTHON_CALLS: join(place.dir, 'calls') };
      return { env: { ...emptyCache(place), ...env, PATH: `${bin}${delimiter}${process.env.PATH}` } };
    },
    engine: 'pytorch-eager',
    reason: /needs Python 3\.11 or newer, and python3 is 3\.9/,
    mend: /apt install python3/,
  },
  {
    what: 'an environment that is not there',
    make: (place) => ({ env: { ...emptyCache(place), ORTBENCH_PYTHON: join(place.dir, 'nowhere') } }),
    engine: 'pytorch-eager',
    reason: /ORTBENCH_PYTHON names no Python environment/,
    mend: /name the folder of an environment/,
  },
  {
    what: 'an environment without PyTorch',
    make: (place) => {
      const environment = join(place.dir, 'venv');
      execFileSync('python3', ['-m', 'venv', '--without-pip', environment]);
      return { env: { ...emptyCache(place), ORTBENCH_PYTHON: environment } };
    },
    engine: 'pytorch-eager',
    reason: /the Python environment has no torch/,
    mend: /requirements\.lock.*npx ortbench setup/,
  },
  {
    what: 'no llama.cpp library',
    make: (place) => ({ env: emptyCache(place), node: ['--import', withoutPackages('@node-llama-cpp')] }),
    engine: 'llamacpp',
    reason: /@node-llama-cpp\/\S+ is not installed|no prebuilt llama\.cpp library/,
    mend: /npm install @node-llama-cpp|setup llamacpp --native/,
  },
];

describe.each(LACKS)('32: $what', ({ make, engine, reason, mend }) => {
  it('doctor says what is missing and the command that mends it', { timeout: 3 * MINUTES }, async () => {
    const place = new Workplace();
    const { code, stdout, stderr } = await place.run(['doctor', '--json'], await make(place));
    expect(code, stderr).toBe(0);
    const diagnosis: Diagnosis = JSON.parse(stdout);
    const found = diagnosis.engines.find(({ id, device }) => id === engine && device === 'cpu')!;
    expect(found.availability, stderr).toEqual({
      available: false,
      reason: expect.stringMatching(reason),
      mend: expect.stringMatching(mend),
    });
    // Others do without it.
    expect(diagnosis.engines.some(({ availability }) => availability.available)).toBe(true);
    await place.expectNothingLeft();
  });

  it('a sweep says so at its start, and the other engines still run', { timeout: 3 * MINUTES }, async () => {
    const place = new Workplace();
    place.config('run.yaml', { engines: [variant('sound'), engine], batchSizes: [1] });
    const { code, stderr } = await place.run(['sweep', 'run.yaml', '--out', 'out'], await make(place));
    expect(code, stderr).toBe(4);
    expect(stderr).toMatch(reason);
    expect(stderr).toMatch(mend);
    const { manifest, records } = await place.results();
    expect(outcomesOf(records).map(({ cell, status }) => [cell.engine, status])).toEqual([['sound', 'ok']]);
    const lacking = manifest.cells.find(({ cell }) => cell.engine === engine)!;
    expect(lacking.status).toBe('unavailable');
    expect(lacking.reason).toMatch(mend);
    await place.expectNothingLeft();
  });
});

/** A shared library that is none of llama.cpp's: of a version that has none of the functions, one could say. */
const foreignLibrary = (() => {
  const packageDir = dirname(dirname(fileURLToPath(import.meta.resolve('onnxruntime-node'))));
  const names = readdirSync(packageDir, { recursive: true }).map(String);
  const platform = join(process.platform, process.arch);
  const name = names.find(
    (path) => path.includes(platform) && /libonnxruntime\.(?:so|[\d.]*dylib)/.test(path),
  );
  return name === undefined ? null : join(packageDir, name);
})();

it.skipIf(foreignLibrary === null)(
  '32: a library of another version is the row of its cells, which says the version that is wanted',
  { timeout: 3 * MINUTES },
  async () => {
    const place = new Workplace();
    mkdirSync(join(place.dir, 'lib'));
    symlinkSync(foreignLibrary!, join(place.dir, 'lib/libllama.so'));
    const engines = [variant('sound'), { engine: 'llamacpp', options: { libraryDir: 'lib' } }];
    place.config('run.yaml', { engines, batchSizes: [1] });
    const { code, stderr } = await place.run(['sweep', 'run.yaml', '--out', 'out', '--no-parity']);
    expect(code, stderr).toBe(4);
    const { records } = await place.results();
    const outcomes = outcomesOf(records).map(({ cell, status, reason }) => [cell.engine, status, reason]);
    expect(outcomes).toContainEqual(['sound', 'ok', null]);
    expect(outcomes).toContainEqual([
      'llamacpp',
      'unavailable',
      expect.stringMatching(/use a library of llama\.cpp 0\.5/),
    ]);
    await place.expectNothingLeft();
  },
);
