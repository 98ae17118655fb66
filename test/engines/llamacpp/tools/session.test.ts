import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { llamacpp } from '../../../../src/engines/llamacpp/engine.ts';
import { open } from '../../../../src/engines/llamacpp/open.ts';
import type { LoadRequest } from '../../../../src/schema/protocol.ts';

const toolsDir = path.resolve('test/fixtures/tools');
let root: string;
beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), 'ortbench-tools-'));
  writeFileSync(path.join(root, 'model.gguf'), 'GGUF');
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const request = (options: Record<string, unknown>): LoadRequest => ({
  model: 'tiny',
  artefactDir: root,
  precision: 'int4',
  device: 'cpu',
  threads: 2,
  maxBatchSize: 2,
  maxSequenceLength: 300,
  options,
});
const generation = (prompts: number[][], generate: number) => ({
  prompts,
  generate,
  capacity: 300,
  measurePeakMemory: false,
});
const four = [1, 2, 3, 4];

describe('llama.cpp through llama-batched-bench', () => {
  it('reports the sums of a row that is warm, and says what it drives', async () => {
    const session = await open(request({ toolsDir }));
    expect(session.loaded).toMatchObject({
      vocabSize: null,
      versions: { 'llama-batched-bench': expect.stringContaining('9.9.9') },
      effective: { ownTool: 'llama-batched-bench (named by the option toolsDir)', kvCacheType: 'f16' },
    });
    expect(session.loaded.loadNs).toBeGreaterThanOrEqual(0);
    const run = await session.generate(generation([four, four], 6));
    expect(run).toMatchObject({ stepNs: [], selectNs: [], tokens: [] });
    expect(run.prefillNs).toBeCloseTo(8e6, 0);
    expect(run.stepTotal).toEqual({ steps: 5, ns: expect.closeTo(50e6, 0) });
    expect(run.wallNs).toBeCloseTo(58e6, 0);
  });

  it('times a prefill alone without its decode step', async () => {
    const session = await open(request({ toolsDir }));
    const run = await session.generate(generation([four], 1));
    expect(run.stepTotal).toEqual({ steps: 0, ns: 0 });
    expect(run.wallNs).toBe(run.prefillNs);
  });

  it('has no logits and no ragged batches', async () => {
    const session = await open(request({ toolsDir }));
    await expect(session.generate(generation([four, [1]], 4))).rejects.toThrow(/equal length/);
    const forced = session.teacherForce({ prompts: [four], continuation: [[1]], logitsFile: 'x' });
    await expect(forced).rejects.toMatchObject({ code: 'unsupported' });
  });

  it("gives the tool's own words when it fails", async () => {
    const failing = open(request({ toolsDir, kvCacheType: 'q8_0' }));
    await expect(failing).rejects.toThrow(/exit code 1: loading…\nerror: unable to load model/);
  });

  it('does without the last line', async () => {
    const session = await open(request({ toolsDir, nBatch: 512 }));
    expect((await session.generate(generation([four], 3))).stepTotal?.steps).toBe(2);
  });

  it('puts more rows behind those that count when they were lost', async () => {
    const session = await open(request({ toolsDir, nBatch: 256, nUbatch: 256 }));
    const { stepTotal } = await session.generate(generation([four], 3));
    expect(stepTotal).toEqual({ steps: 2, ns: expect.closeTo(20e6, 0) });
  });

  it('gives up when the tool keeps losing its results', async () => {
    const losing = open(request({ toolsDir, nBatch: 1024 }));
    await expect(losing).rejects.toMatchObject({
      code: 'protocol-error',
      message: expect.stringContaining('1 of 3 rows, 4 times'),
    });
  });

  it('is unavailable without the tool', async () => {
    await expect(open(request({ toolsDir: root }))).rejects.toMatchObject({ code: 'unavailable' });
    expect(await llamacpp.probe('cpu', llamacpp.options.parse({ toolsDir: root }))).toMatchObject({
      available: false,
      reason: expect.stringContaining('llama-batched-bench'),
    });
    expect(await llamacpp.probe('cpu', llamacpp.options.parse({ toolsDir }))).toMatchObject({
      available: true,
    });
  });

  it('takes a library or a tool, not both', () => {
    expect(llamacpp.options.safeParse({ toolsDir, libraryDir: root }).success).toBe(false);
  });
});

describe('a library of an unknown version', () => {
  // Any shared library that this process can load has not one of llama.cpp's functions.
  const libraryDir = () => {
    const dir = path.join(root, 'lib');
    mkdirSync(dir, { recursive: true });
    const canvas = createRequire(import.meta.url)
      .resolve('@napi-rs/canvas')
      .replace(/index\.js$/, '');
    const binary = createRequire(`${canvas}/`).resolve(
      `@napi-rs/canvas-${process.platform}-${process.arch}${process.platform === 'linux' ? '-gnu' : ''}`,
    );
    copyFileSync(binary, path.join(dir, process.platform === 'darwin' ? 'libllama.dylib' : 'libllama.so'));
    return dir;
  };

  it('is refused where there is no tool beside it, and its tool driven where there is', async () => {
    const dir = libraryDir();
    await expect(open(request({ libraryDir: dir }))).rejects.toThrow(
      /llama.cpp 0.5.*put llama-batched-bench of the same build beside it/,
    );
    mkdirSync(path.join(root, 'bin'), { recursive: true });
    copyFileSync(path.join(toolsDir, 'llama-batched-bench'), path.join(root, 'bin', 'llama-batched-bench'));
    const session = await open(request({ libraryDir: dir }));
    expect(session.loaded.effective.ownTool).toMatch(/^llama-batched-bench \(the llama.cpp library has no/);
  });
});
