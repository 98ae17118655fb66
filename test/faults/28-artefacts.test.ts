import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { ENGINES } from '../../src/engines/index.ts';
import { ARTEFACT_FILE, artefactFileSchema } from '../../src/models/artefact-file.ts';
import { resolveModel } from '../../src/models/catalogue.ts';
import { hashFile, hashJson } from '../../src/models/hashing.ts';
import { prepareArtefact } from '../../src/models/prepare.ts';
import { findPythonEnvironment } from '../../src/python/environment.ts';
import { outcomesOf, variant, Workplace } from '../fixtures/workplace.ts';

const MINUTES = 60_000;
const engines = (await Promise.all(Object.values(ENGINES).map((load) => load()))).filter(
  ({ meta }) => meta.artefact !== 'none' && !meta.compiles,
);
// Checkpoints first: what is derived of one names its hash.
const kinds = [...new Set(engines.map(({ meta }) => meta.artefact))].sort(
  (a, b) => Number(a !== 'checkpoint') - Number(b !== 'checkpoint'),
);
const MODEL_FILE = /(?:^|\/)model\.(?:gguf|onnx|safetensors)$/;

/**
 * Counts and lengths in the headers of all three formats lie; the size, and all that is written about it, is right.
 * @returns its hash
 */
async function damage(dir: string, checkpoint: string | null): Promise<string> {
  const path = join(dir, ARTEFACT_FILE);
  const artefact = artefactFileSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  let damaged = 0;
  for (const file of artefact.files.filter(({ path }) => MODEL_FILE.test(path))) {
    const bytes = readFileSync(join(dir, file.path));
    writeFileSync(join(dir, file.path), bytes.fill(0xff, 8, 24));
    file.sha256 = await hashFile(join(dir, file.path));
    damaged++;
  }
  expect(damaged).toBeGreaterThan(0);
  if (artefact.checkpointSha256 !== null) artefact.checkpointSha256 = checkpoint;
  const { recipeSha256, checkpointSha256, files } = artefact;
  artefact.sha256 = hashJson({ recipeSha256, checkpointSha256, files });
  writeFileSync(path, JSON.stringify(artefact));
  return artefact.sha256;
}

// A file that changed since it was made is found by its hash before anything is loaded. Here, the hashes are right: what
// was made is no model, and the libraries that load it have to find that out themselves.
it('28: an artefact that is no model is the failure of its cells, and the others run', {
  timeout: 10 * MINUTES,
}, async () => {
  const place = new Workplace();
  const cache = join(place.dir, 'cache');
  const model = await resolveModel('llama-nano', '.');
  let checkpoint: string | null = null;
  for (const kind of kinds) {
    const { dir } = await prepareArtefact({ model, kind, precision: 'fp32', device: 'cpu' });
    const copy = join(cache, 'artefacts', basename(dir));
    cpSync(dir, copy, { recursive: true, dereference: true });
    const sha256 = await damage(copy, checkpoint);
    if (kind === 'checkpoint') checkpoint = sha256;
  }
  const before = readdirSync(join(cache, 'artefacts')).sort();
  place.config('run.yaml', {
    batchSizes: [1],
    repetitions: 2,
    engines: [...engines.map(({ meta }) => meta.id), variant('sound')],
  });
  const { code, stderr } = await place.run(['sweep', 'run.yaml', '--out', 'out', '--no-parity'], {
    env: { ORTBENCH_CACHE: cache, ORTBENCH_PYTHON: (await findPythonEnvironment())! },
  });
  expect(code, stderr).toBe(4);
  const { records, interrupted } = await place.results();
  expect(interrupted).toBe(false);
  const outcomes = outcomesOf(records);
  expect(outcomes.map(({ cell }) => cell.engine).sort()).toEqual(
    [...engines.map(({ meta }) => meta.id), 'sound'].sort(),
  );
  for (const { cell, status, reason } of outcomes) {
    if (cell.engine === 'sound') expect(status).toBe('ok');
    else expect(['failed', 'crashed', 'oom'], `${cell.engine}: ${reason}`).toContain(status);
    if (status !== 'ok') expect(reason!.length, cell.engine).toBeGreaterThan(10);
  }
  const summary = readFileSync(join(place.dir, 'out/report/summary.csv'), 'utf8');
  for (const { meta } of engines) expect(summary).toContain(`,${meta.id},`);
  // Nothing was made anew over it.
  expect(readdirSync(join(cache, 'artefacts')).sort()).toEqual(before);
  await place.expectNothingLeft();
});
