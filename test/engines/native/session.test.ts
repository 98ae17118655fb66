import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fake } from '../../../src/engines/fake/engine.ts';
import { argmaxRows } from '../../../src/engines/native/argmax.ts';

const openFake = async (options: Record<string, unknown>) => {
  if (fake.drive.kind !== 'native') throw new Error('the fake engine is native');
  return fake.drive.load({
    model: 'none',
    artefactDir: '',
    precision: 'fp32',
    device: 'cpu',
    threads: 1,
    maxBatchSize: 4,
    maxSequenceLength: 64,
    options,
  });
};
const request = { prompts: [[1, 2, 3], [4]], generate: 8, capacity: 11, measurePeakMemory: false };

describe('NativeSession', () => {
  it('returns B·G tokens and the times of G − 1 steps and G selections', async () => {
    const generation = await (await openFake({})).generate(request);
    expect(generation.tokens.map((row) => row.length)).toEqual([8, 8]);
    expect(generation.stepNs).toHaveLength(7);
    expect(generation.selectNs).toHaveLength(8);
    const phases = [generation.prefillNs, ...generation.stepNs, ...generation.selectNs];
    expect(phases.reduce((a, b) => a + b)).toBeLessThanOrEqual(generation.wallNs);
  });

  it('times what the engine takes, within one per cent', async () => {
    const session = await openFake({ stepMs: 10, prefillMsPerToken: 5 });
    const { prefillNs, stepNs } = await session.generate(request);
    expect(prefillNs / 1e6 / 20).toBeGreaterThan(0.999);
    const mean = stepNs.reduce((a, b) => a + b) / stepNs.length / 1e6;
    expect(mean).toBeGreaterThan(9.99);
    // One step in a noisy neighbour's hands may be late; the least late one shows the clock itself.
    expect(Math.min(...stepNs) / 1e6).toBeLessThan(10.1);
  });

  it('answers for each sequence as if it were alone', async () => {
    const session = await openFake({});
    const both = await session.generate(request);
    for (const [row, prompt] of request.prompts.entries()) {
      const alone = await session.generate({ ...request, prompts: [prompt] });
      expect(alone.tokens[0]).toEqual(both.tokens[row]);
    }
  });

  it('writes the logits of each forced step', async () => {
    const session = await openFake({ vocabSize: 16 });
    const { tokens } = await session.generate({ ...request, generate: 4 });
    const logitsFile = join(await mkdtemp(join(tmpdir(), 'ortbench-test-')), 'logits');
    const result = await session.teacherForce({ prompts: request.prompts, continuation: tokens, logitsFile });
    expect(result).toEqual({ steps: 4, vocabSize: 16 });
    const bytes = await readFile(logitsFile);
    expect(bytes.length).toBe(5 * 2 * 16 * 4);
    const logits = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    const chosen = new Int32Array(2);
    for (let step = 0; step < 4; step++) {
      argmaxRows(logits.subarray(step * 32, step * 32 + 32), 2, chosen);
      expect([...chosen]).toEqual(tokens.map((row) => row[step]));
    }
  });

  it('reports the peak of the resident set when asked on Linux', async () => {
    const { peakRssBytes } = await (await openFake({})).generate({ ...request, measurePeakMemory: true });
    if (process.platform === 'linux') expect(peakRssBytes).toBeGreaterThan(10e6);
    else expect(peakRssBytes).toBeNull();
  });

  it('refuses logits that are not numbers', async () => {
    const session = await openFake({ fault: 'nan-logits' });
    await expect(session.generate(request)).rejects.toMatchObject({ code: 'failed' });
  });
});

describe('argmaxRows', () => {
  it('lets the lowest id win a tie', () => {
    const ids = new Int32Array(2);
    argmaxRows(Float32Array.of(1, 7, 7, -3, -1, -1), 2, ids);
    expect([...ids]).toEqual([1, 1]);
  });
});
