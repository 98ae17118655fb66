import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { ARTEFACT_FILE } from '../../src/models/artefact-file.ts';
import { resolveModel } from '../../src/models/catalogue.ts';
import { prepareArtefact } from '../../src/models/prepare.ts';
import { cellKey } from '../../src/schema/cell.ts';
import { type Finished, finish, outcomesOf, variant, Workplace } from '../fixtures/workplace.ts';

const MINUTES = 60_000;
const replies = fileURLToPath(new URL('../fixtures/faults/replies.mjs', import.meta.url));
const ARGS = ['sweep', 'run.yaml', '--out', 'out', '--no-parity'];
/** Some seconds of work: none is done when it is killed at its first sample. */
const SWEEP = {
  engines: [variant('a', { stepMs: 5, prefillMsPerToken: 5 })],
  isolation: 'process',
  batchSizes: [1],
  repetitions: 8,
  minTimedSeconds: 0.4,
  measureMemory: false,
};

/** A run that is killed in its first cell, something that changes meanwhile, and the end of the attempt to resume it. */
async function resumed(
  sweep: Record<string, unknown>,
  change: (place: Workplace) => void,
  {
    place = new Workplace(),
    node = [],
    env = {},
  }: { place?: Workplace; node?: string[]; env?: Record<string, string> } = {},
): Promise<{ place: Workplace; finished: Finished }> {
  place.config('run.yaml', sweep);
  const child = place.start(ARGS);
  const killed = finish(child);
  await place.recorded('sample');
  child.kill('SIGKILL');
  expect((await killed).signal).toBe('SIGKILL');
  const before = readFileSync(join(place.dir, 'out/records.jsonl'), 'utf8');
  change(place);
  const finished = await place.run([...ARGS, '--resume'], { node, env });
  // What was measured before is there, whatever the answer.
  const kept = before.slice(0, before.lastIndexOf('\n') + 1);
  expect(readFileSync(join(place.dir, 'out/records.jsonl'), 'utf8').startsWith(kept)).toBe(true);
  expect(place.processes()).toEqual([]);
  // The scratch folder of what was killed is cleared by the next run, which a refusal does not always come to.
  expect(place.leftovers().filter((name) => !name.startsWith('ortbench-run-'))).toEqual([]);
  return { place, finished };
}

function expectRefusal({ code, stderr }: Finished, words: RegExp): void {
  expect(stderr).toMatch(words);
  expect(stderr).toContain('numbers of different conditions are never mixed');
  expect(code).toBe(2);
}

it('5: resuming goes on where nothing changed', { timeout: 3 * MINUTES }, async () => {
  const { place, finished } = await resumed(SWEEP, () => {});
  expect(finished.code, finished.stderr).toBe(0);
  const { records } = await place.results();
  expect(outcomesOf(records).map(({ cell, status }) => [cellKey(cell), status])).toEqual([
    [expect.stringContaining('/a/'), 'ok'],
  ]);
});

it('5: another config is not mixed in', { timeout: 3 * MINUTES }, async () => {
  const { finished } = await resumed(SWEEP, (place) =>
    place.config('run.yaml', { ...SWEEP, repetitions: 9 }),
  );
  expectRefusal(finished, /repetitions changed/);
});

it("5: another version of an engine is not mixed in: its runner answers with the new one's", {
  timeout: 3 * MINUTES,
}, async () => {
  const { finished } = await resumed(SWEEP, () => {}, {
    node: ['--import', replies],
    env: { ORTBENCH_TEST_REPLIES: JSON.stringify({ 512: 'upgraded' }) },
  });
  expectRefusal(finished, /fake was 1 and is 2/);
});

it('5: another model file is not mixed in: one bit of one weight in a local folder', {
  timeout: 10 * MINUTES,
}, async () => {
  const place = new Workplace();
  const folder = join(place.dir, 'model');
  const model = await resolveModel('llama-nano', '.');
  const { dir } = await prepareArtefact({ model, kind: 'checkpoint', precision: 'fp32', device: 'cpu' });
  cpSync(dir, folder, { recursive: true });
  rmSync(join(folder, ARTEFACT_FILE));
  const weights = join(folder, 'model.safetensors');
  const sweep = {
    ...SWEEP,
    models: [{ name: 'changing', source: { kind: 'folder', path: 'model' } }],
    engines: ['onnxruntime'],
    generate: 48,
  };
  const flip = () => {
    const bytes = readFileSync(weights);
    // The least bit of the last number: float32, little-endian.
    bytes[bytes.length - 4]! ^= 1;
    writeFileSync(weights, bytes);
  };
  const { finished } = await resumed(sweep, flip, { place });
  expectRefusal(finished, /its model file is another one/);
});

it('5: another machine is not mixed in', { timeout: 3 * MINUTES }, async () => {
  // A processor cannot be exchanged here: the stored run says that it was another's.
  const { finished } = await resumed(SWEEP, (place) => {
    const path = join(place.dir, 'out/manifest.json');
    const manifest = readFileSync(path, 'utf8');
    writeFileSync(path, manifest.replace(/"cpuModel": "[^"]*"/, '"cpuModel": "Another"'));
  });
  expectRefusal(finished, /cpuModel was Another/);
});
