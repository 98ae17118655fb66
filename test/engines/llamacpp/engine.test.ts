import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { llamacpp } from '../../../src/engines/llamacpp/engine.ts';
import { load } from '../../../src/engines/llamacpp/load.ts';
import { locateLibrary } from '../../../src/engines/llamacpp/location.ts';
import { EngineError } from '../../../src/errors.ts';
import type { Precision } from '../../../src/schema/vocabulary.ts';
import { TINY, tinyGguf, writeTinyGguf } from './tiny-gguf.ts';

const hasLibrary = 'found' in locateLibrary({});
const STEPS = 6;

let root: string;
const decoders: { close(): void }[] = [];
beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), 'ortbench-llamacpp-'));
  writeTinyGguf(path.join(root, 'fp32'));
  writeTinyGguf(path.join(root, 'int4'), 'q4_0');
});
afterEach(() => {
  for (const decoder of decoders.splice(0)) decoder.close();
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function open(
  precision: Precision,
  options: Record<string, unknown> = {},
  artefactDir = path.join(root, precision),
  threads = 1,
) {
  const request = {
    model: 'tiny',
    artefactDir,
    precision,
    device: 'cpu',
    threads,
    maxBatchSize: 4,
    maxSequenceLength: 600,
    options,
  } as const;
  const opened = await load(request);
  decoders.push(opened.decoder);
  return opened;
}
type Opened = Awaited<ReturnType<typeof open>>;

const prompt = (length: number, salt = 0) =>
  Int32Array.from({ length }, (_, i) => (i * 31 + salt * 17 + 5) % TINY.vocabSize);

/** Greedy tokens [batch][STEPS] and the logits of the prefill, copied. */
function generate(decoder: Opened['decoder'], prompts: Int32Array[]) {
  decoder.begin(prompts, Math.max(...prompts.map((row) => row.length)) + STEPS);
  let logits = decoder.prefill();
  const first = Float32Array.from(logits);
  const tokens: number[][] = prompts.map(() => []);
  for (let step = 1; ; step++) {
    const ids = Int32Array.from(prompts, (_, row) => {
      const values = logits.subarray(row * TINY.vocabSize, (row + 1) * TINY.vocabSize);
      return values.indexOf(Math.max(...values));
    });
    ids.forEach((id, row) => {
      tokens[row]!.push(id);
    });
    if (step === STEPS) return { tokens, first };
    logits = decoder.step(ids);
  }
}

/** The EngineError that `work` throws. */
async function failure(work: () => unknown): Promise<EngineError> {
  try {
    await work();
  } catch (error) {
    if (error instanceof EngineError) return error;
    throw error;
  }
  return expect.unreachable('nothing was thrown');
}

describe('the engine without its library', () => {
  it('is imported without loading koffi', () => {
    const { sharedObjects } = process.report.getReport() as unknown as { sharedObjects: string[] };
    expect(sharedObjects.length).toBeGreaterThan(0);
    expect(sharedObjects.filter((file) => /koffi|libllama/.test(file))).toEqual([]);
  });

  it('takes a device with a library for it only', async () => {
    const options = { libraryDir: root };
    const probe = await llamacpp.probe('cuda', options);
    expect(probe).toMatchObject({
      available: false,
      reason: expect.stringMatching(/there is no libllama in libraryDir/),
    });
    const error = await failure(() =>
      load({
        model: 'm',
        artefactDir: root,
        precision: 'fp32',
        device: 'cuda',
        threads: 1,
        maxBatchSize: 1,
        maxSequenceLength: 8,
        options,
      }),
    );
    expect(error.code).toBe('unavailable');
  });

  it('names a bad option', async () => {
    const error = await failure(() => open('fp32', { nBatch: 8, nUbatch: 16 }));
    expect(error.message).toMatch(/llamacpp options: nUbatch: must not exceed nBatch/);
  });

  it('says that a library folder holds no library', async () => {
    const error = await failure(() => open('fp32', { libraryDir: root }));
    expect(error.code).toBe('unavailable');
    expect(error.message).toMatch(/no libllama/);
  });

  it('says that the artefact is absent', async () => {
    const error = await failure(() => open('fp32', {}, path.join(root, 'nowhere')));
    expect(error.code).toBe(hasLibrary ? 'failed' : 'unavailable');
  });
});

describe.runIf(hasLibrary)('the engine on its library', () => {
  it('is available, with versions', async () => {
    const availability = await llamacpp.probe('cpu', {});
    expect(availability).toMatchObject({ available: true });
    if (availability.available) expect(availability.versions).toHaveProperty('llama.cpp release');
  });

  it('says what runs', async () => {
    const { loaded, decoder } = await open('fp32', {}, path.join(root, 'fp32'), 2);
    expect(loaded.vocabSize).toBe(TINY.vocabSize);
    expect(loaded.loadNs).toBeGreaterThan(0);
    expect(loaded.versions['llama.cpp']).toMatch(/^0\.5\.\d+/);
    expect(loaded.effective).toMatchObject({
      weightTypes: 'f32 × 21',
      computeTypes: 'f32 × f32',
      kvCacheType: 'f32',
      threads: 2,
      threadPool: true,
      poll: 50,
      backendLibrary: expect.stringMatching(/ggml-cpu/),
      build: expect.stringMatching(/^(prebuilt|native) .*GCC/),
    });
    decoder.begin([prompt(5), prompt(5, 1)], 300);
    expect(decoder.effective()).toMatchObject({
      flashAttention: 'off',
      attentionKvType: 'f32',
      kvUnified: false,
      kvCellsPerSequence: 512,
      nBatch: 1024,
      nUbatch: 512,
      // Of any other number, not a multiple of 16, the activations of f32 prompts would straddle lines of the cache.
      nOutputsMax: 16,
      prefillCalls: 1,
    });
  });

  it('refuses sequences beyond a sliding window that llama.cpp does not keep to', async () => {
    const dir = writeTinyGguf(path.join(root, 'window'), 'f32', 24);
    const { decoder, loaded } = await open('fp32', {}, dir);
    expect(loaded.effective.slidingWindow).toBe('none');
    expect(generate(decoder, [prompt(24 - STEPS)])).toEqual(
      generate((await open('fp32')).decoder, [prompt(24 - STEPS)]),
    );
    const error = await failure(() => decoder.begin([prompt(24 - STEPS)], 25));
    expect(error.code).toBe('unsupported');
    expect(error.message).toContain('whose sliding window is 24: 25 tokens');
  });

  it('reads the types of int4 weights and of their products', async () => {
    const { loaded, decoder } = await open('int4');
    expect(loaded.effective).toMatchObject({
      weightTypes: 'q4_0 × 16, f32 × 5',
      computeTypes: 'q4_0 × q8_0, f32 × f32',
      kvCacheType: 'f16',
    });
    expect(loaded.effective).not.toHaveProperty('slowBuild');
    const { first, tokens } = generate(decoder, [prompt(7)]);
    expect(first.every(Number.isFinite)).toBe(true);
    expect(tokens[0]).toHaveLength(STEPS);
  });

  it('gives a ragged batch the tokens that each prompt has alone', async () => {
    const { decoder } = await open('fp32');
    const prompts = [prompt(9, 1), prompt(300, 2), prompt(1, 3), prompt(257, 4)];
    const together = generate(decoder, prompts);
    for (const [row, alone] of prompts.entries()) {
      expect(generate(decoder, [alone]).tokens[0]).toEqual(together.tokens[row]);
    }
  });

  it('gives the same answer on every run, whatever ran in between', async () => {
    const { decoder } = await open('fp32');
    const before = generate(decoder, [prompt(40), prompt(12, 1)]);
    expect(generate(decoder, [prompt(40), prompt(12, 1)])).toEqual(before);
    generate(decoder, [prompt(200, 5)]);
    generate(decoder, [prompt(40, 8), prompt(12, 9)]);
    expect(generate(decoder, [prompt(40), prompt(12, 1)])).toEqual(before);
  });

  it.each([
    [{ nBatch: 50, nUbatch: 16 }],
    [{ nBatch: 1, nUbatch: 1 }],
    [{ kvUnified: true }],
    [{ useMmap: false, poll: 0 }],
  ])('answers the same with %j', async (options) => {
    const prompts = [prompt(60), prompt(41, 1), prompt(3, 2)];
    const plain = generate((await open('fp32')).decoder, prompts);
    const { decoder } = await open('fp32', options);
    const other = generate(decoder, prompts);
    expect(other.tokens).toEqual(plain.tokens);
    const error = Math.max(...other.first.map((value, i) => Math.abs(value - plain.first[i]!)));
    expect(error).toBeLessThan(1e-3);
  });

  it('counts the calls of a prefill in chunks', async () => {
    const { decoder } = await open('fp32', { nBatch: 50, nUbatch: 16 });
    decoder.begin([prompt(60), prompt(41)], 70);
    decoder.prefill();
    expect(decoder.effective().prefillCalls).toBe(3);
  });

  it('refuses what does not fit and goes on afterwards', async () => {
    const { decoder } = await open('fp32');
    const good = generate(decoder, [prompt(8)]);
    expect((await failure(() => decoder.begin([prompt(9)], 8))).message).toMatch(
      /9 tokens exceeds the capacity of 8/,
    );
    expect((await failure(() => decoder.begin([new Int32Array(0)], 8))).message).toMatch(/empty/);
    const many = Array.from({ length: 257 }, () => prompt(1));
    expect((await failure(() => decoder.begin(many, 8))).code).toBe('unsupported');
    const outside = await failure(() => decoder.begin([Int32Array.of(TINY.vocabSize)], 12));
    expect(outside.code).toBe('failed');
    expect(outside.message).toMatch(/refused the batch.*invalid token/);
    expect(generate(decoder, [prompt(8)])).toEqual(good);
  });

  it('fails with a clear text when the cache is full', async () => {
    const { decoder } = await open('fp32');
    decoder.begin([prompt(256)], 256);
    decoder.prefill();
    const error = await failure(() => decoder.step(Int32Array.of(1)));
    expect(error.code).toBe('failed');
    expect(error.message).toMatch(/no free KV cells/);
  });

  it('refuses a cache that no machine can hold as out of memory, before it allocates anything', async () => {
    const { decoder } = await open('fp32');
    const error = await failure(() => decoder.begin([prompt(4)], 2_000_000_000));
    expect(error.code).toBe('oom');
    expect(error.message).toMatch(
      /KV cache of 2000000000 cells \(f32\) needs \d+ MiB, \d+ MiB are available/,
    );
    expect(process.memoryUsage.rss()).toBeLessThan(2 ** 30);
  });

  it('cannot be used after it is closed, and closes twice', async () => {
    const { decoder } = await open('fp32');
    decoder.begin([prompt(4)], 8);
    decoder.close();
    decoder.close();
    expect((await failure(() => decoder.begin([prompt(4)], 8))).message).toMatch(/closed/);
    expect((await failure(() => decoder.prefill())).message).toMatch(/no run has begun/);
  });

  it.each([
    ['an empty file', Buffer.alloc(0)],
    ['not GGUF', Buffer.from('PK\u0003\u0004 something else entirely'.repeat(20))],
    ['a torn header', tinyGguf().subarray(0, 700)],
    ['weights cut off', tinyGguf().subarray(0, 60_000)],
    ['a count of tensors that cannot be', withU64(tinyGguf(), 8, 2n ** 60n)],
    [
      'an unknown architecture',
      Buffer.from(
        tinyGguf().toString('latin1').replace('\u0005\0\0\0\0\0\0\0llama', '\u0005\0\0\0\0\0\0\0lxxxa'),
        'latin1',
      ),
    ],
  ])('contains the failure of a malformed model: %s', async (name, bytes) => {
    const dir = path.join(root, name.replaceAll(' ', '-'));
    mkdirSync(dir);
    writeFileSync(path.join(dir, 'model.gguf'), bytes);
    const error = await failure(() => open('fp32', {}, dir));
    expect(error.code).toBe('failed');
    expect(error.message).toMatch(/model\.gguf.*: .{5,}/);
    expect((await open('fp32')).loaded.vocabSize).toBe(TINY.vocabSize);
  });

  it('refuses a second library in one process', async () => {
    const dir = path.join(root, 'other-library');
    mkdirSync(dir);
    writeFileSync(path.join(dir, 'libllama.so'), '');
    const error = await failure(() => open('fp32', { libraryDir: dir }));
    expect(error.code).toBe('unavailable');
    expect(error.message).toMatch(/processes of their own/);
  });

  it('lets its threads sleep soon after a run, however long they may spin within it', async () => {
    const { decoder } = await open('fp32', { poll: 100 }, path.join(root, 'fp32'), 2);
    generate(decoder, [prompt(30)]);
    await new Promise((resolve) => setTimeout(resolve, 60));
    const before = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, 200));
    const { user, system } = process.cpuUsage(before);
    // A worker that kept spinning would use all of the 200 ms.
    expect((user + system) / 1000).toBeLessThan(80);
    expect(generate(decoder, [prompt(30)]).tokens[0]).toHaveLength(STEPS);
  });
});

function withU64(bytes: Buffer, offset: number, value: bigint): Buffer {
  bytes.writeBigUInt64LE(value, offset);
  return bytes;
}
