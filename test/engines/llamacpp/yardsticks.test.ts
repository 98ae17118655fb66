import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { optionsSchema } from '../../../src/engines/llamacpp/options.ts';
import { librariesOf } from '../../../src/engines/llamacpp/yardstick-location.ts';
import {
  batchedBench,
  batchedRun,
  benchArguments,
  readBenchSamples,
  settingsOf,
} from '../../../src/engines/llamacpp/yardstick-programs.ts';
import { yardsticks } from '../../../src/engines/llamacpp/yardsticks.ts';

const driver = {
  nBatch: 1024,
  nUbatch: 512,
  threads: 2,
  poll: 50,
  mmap: true,
  kvCacheType: 'f16',
  kvCellsPerSequence: 256,
  kvUnified: false,
  flashAttention: 'on',
};
const shape = { batchSize: 4, promptLength: 32, generate: 16 };
const turn = { warmUp: true, prefills: 2, runs: 1, prefillsAlone: 0 };

const row = (tg: number, t_pp: number, t_tg: number, extra: object = {}) =>
  JSON.stringify({ pp: 32, tg, pl: 4, n_batch: 1024, n_ubatch: 512, n_threads: 2, t_pp, t_tg, ...extra });
const rows = [row(1, 9, 9), row(1, 0.1, 0.01), row(1, 0.2, 0.01), row(15, 0.3, 0.5)];

describe('llama-batched-bench', () => {
  it('has a first row that warms up, rows of one step for prefills, and whole runs', () => {
    expect(batchedRun(shape, turn, 256)).toEqual({
      batchSize: 4,
      promptLength: 32,
      cellsPerSequence: 256,
      steps: [1, 1, 1, 15],
    });
    expect(batchedRun(shape, { ...turn, warmUp: false }, 256).steps).toEqual([1, 1, 15]);
  });

  it('needs to know how the driver ran', () => {
    expect(() => settingsOf({ threads: 2 })).toThrow('does not report how it ran');
  });
});

describe('llama-bench', () => {
  it('measures the prompt from an empty context, and decoding at its depth', () => {
    const test = { prompt: 0, generate: 15, depth: 32, repetitions: 3, warmUp: false };
    const line = benchArguments('m.gguf', test, driver).join(' ');
    expect(line).toContain(
      '-r 3 -p 0 -n 15 -d 32 -b 1024 -ub 512 -t 2 --poll 50 -fa on -ctk f16 -ctv f16 --no-warmup',
    );
  });

  it('gives raw samples, as many as were asked for', () => {
    const line = JSON.stringify({
      n_prompt: 32,
      n_gen: 0,
      n_depth: 0,
      n_threads: 2,
      build_commit: 'x',
      samples_ns: [7, 8],
    });
    expect(readBenchSamples(line, 2)).toEqual([7, 8]);
    expect(() => readBenchSamples(line, 3)).toThrow('2 samples, not the 3');
  });

  it('covers one sequence, and KV types that it knows', () => {
    const { covers } = yardsticks.tools['llama-bench']!;
    expect(covers({ ...shape, batchSize: 1 }, driver)).toBe(true);
    expect(covers(shape, driver)).toBe('llama-bench decodes one sequence only');
    expect(covers({ ...shape, batchSize: 1 }, { ...driver, kvCacheType: 'f32' })).toContain(
      'no f32 KV cache',
    );
    expect(covers({ ...shape, batchSize: 1 }, { ...driver, kvUnified: true })).toContain('a cache that all');
  });
});

it('reads the loader’s list', () => {
  const trace =
    '\tlinux-vdso.so.1 (0x1)\n\tlibllama.so.0 => /a b/libllama.so.0 (0x2)\n\tlibllama.so.0 => /x/libllama.so.0 (0x3)\n\tlibz => not found\n';
  expect(librariesOf(trace)).toContain('/x/libllama.so.0');
  expect(librariesOf(trace)).not.toContain('not');
});

describe.skipIf(process.platform === 'win32')('a tool of another build', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ortbench-tool-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is run again when it loses rows, and carries a caveat', async () => {
    writeFileSync(join(folder, 'rows'), rows.join('\n'));
    // The first two times the last row is lost.
    const script = [
      '#!/bin/sh',
      'if [ "$1" = --version ]; then echo "version: 7"; exit 0; fi',
      'echo x >> calls',
      '[ $(wc -l < calls) -gt 2 ] && cat rows || head -n 2 rows',
    ];
    writeFileSync(join(folder, 'llama-batched-bench'), `${script.join('\n')}\n`);
    chmodSync(join(folder, 'llama-batched-bench'), 0o755);
    writeFileSync(join(folder, 'libllama.so'), '');
    const request = {
      model: 'any',
      artefactDir: folder,
      precision: 'int4' as const,
      device: 'cpu' as const,
      threads: 2,
      maxBatchSize: 4,
      maxSequenceLength: 48,
      options: optionsSchema.parse({ libraryDir: folder }),
    };
    const program = await batchedBench(request, []);
    // A script loads no library at all.
    if (process.platform === 'linux') expect(program.caveat).toContain('another build');
    expect(program.versions).toEqual({ 'llama-batched-bench': 'version: 7' });
    expect(await program.measure(shape, turn, driver)).toEqual([
      { prefillNs: 0.1e9, decodeNs: null },
      { prefillNs: 0.2e9, decodeNs: null },
      { prefillNs: 0.3e9, decodeNs: 0.5e9 },
    ]);
    expect(readFileSync(join(folder, 'calls'), 'utf8')).toContain('x\nx\nx\n');
  });

  it('has to be somewhere', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'ortbench-tool-'));
    writeFileSync(join(empty, 'libllama.so'), '');
    const { chooseTool } = await import('../../../src/engines/llamacpp/yardstick-location.ts');
    await expect(chooseTool('llama-no-such-tool', empty, [])).rejects.toThrow('name its folder with --tools');
    rmSync(empty, { recursive: true });
  });
});
