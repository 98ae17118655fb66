import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runPrepare } from '../../src/commands/prepare.ts';
import { formatPrepared } from '../../src/commands/prepare-table.ts';
import { capture, plain } from './capture.ts';

const folder = mkdtempSync(join(tmpdir(), 'ortbench-prepare-'));
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const SWEEP =
  'models: [llama-nano]\nengines: [fake]\nprecisions: [fp32]\nbatchSizes: [1]\npromptLengths: [8]\ngenerate: 8\n';

describe('runPrepare', () => {
  it('makes nothing for engines that load nothing', async () => {
    const { code, stdout } = await capture(() => runPrepare(write('sweep.yaml', SWEEP), { json: true }));
    expect(code).toBe(0);
    expect(JSON.parse(stdout).prepared).toEqual([]);
  });

  it.each<[string, string, Parameters<typeof runPrepare>[1], string]>([
    [
      'an unknown model',
      'llama-nanno',
      {},
      'there is no model "llama-nanno"; did you mean "llama-nano" or "llama-nano-mha"?',
    ],
    [
      'an unknown precision',
      'llama-nano',
      { precision: ['int8'] },
      '--precision int8: not known here; did you mean "int4"?',
    ],
    [
      'an unknown engine',
      'llama-nano',
      { engine: ['onnx'] },
      '--engine onnx: not known here; did you mean "onnxruntime" or "onnxruntime-js"?',
    ],
  ])('refuses %s', async (_name, what, options, message) => {
    await expect(runPrepare(what, options)).rejects.toThrow(message);
  });

  it('takes precisions and engines of a sweep from the sweep', async () => {
    const path = write('sweep.yaml', SWEEP);
    await expect(runPrepare(path, { precision: ['int4'] })).rejects.toThrow('there are fp32');
    await expect(runPrepare(path, { engine: ['llamacpp'] })).rejects.toThrow('there are fake');
  });

  it('tells a model file from a sweep, and checks each as what it is', async () => {
    await expect(runPrepare(write('model.yaml', 'name: x\nsource: {kind: hbu}\n'), {})).rejects.toThrow(
      'source.kind: expected one of hub, folder, architecture',
    );
    await expect(runPrepare(write('bad.yaml', 'model: [x]\n'), {})).rejects.toThrow('model: unknown key');
  });
});

describe('formatPrepared', () => {
  const artefact = { dir: '/x', sha256: 'abc', bytes: 3 * 2 ** 20, made: true };
  const cache = { root: '/cache', bytes: 7 * 2 ** 20, artefacts: [] };
  const check = {
    name: 'q',
    storedAs: 'Q4_0',
    canonical: ['q'],
    shape: [1],
    differing: 0,
    largestDifference: 0,
  };

  it('shows sizes, what was made, and the total', () => {
    const text = plain(
      formatPrepared(
        [
          { model: 'm', kind: 'gguf', precision: 'int4', outcome: 'prepared', artefact, verification: null },
          { model: 'm', kind: 'onnx', precision: 'bf16', outcome: 'impossible', reason: 'no such graph' },
        ],
        cache,
      ),
    );
    expect(text).toMatch(/m +│ int4 +│ gguf +│ 3\.00 MiB │ made/);
    expect(text).toMatch(/bf16 +│ onnx +│ +│ impossible/);
    expect(text).toContain('m bf16 onnx: no such graph');
    expect(text).toContain('these: 3.00 MiB; the whole cache: 7.00 MiB in /cache');
  });

  it('names every tensor and constant that differs or is missing', () => {
    const constants = [
      { name: 'norm epsilon', stored: '1e-05', expected: '1e-06', verdict: 'differs' as const },
      { name: 'norms', stored: '5', expected: '5', verdict: 'equal' as const },
    ];
    const tensors = [
      { ...check, verdict: 'identical' as const },
      { ...check, name: 'k', verdict: 'differs' as const, differing: 5, largestDifference: 0.25 },
    ];
    const verification = { tensors, missing: ['v'], constants, ok: false };
    const text = plain(
      formatPrepared(
        [{ model: 'm', kind: 'gguf', precision: 'int4', outcome: 'prepared', artefact, verification }],
        cache,
      ),
    );
    expect(text).toContain('m int4 gguf: k (Q4_0) differs in 5 values, by up to 0.25');
    expect(text).toContain('m int4 gguf: v is missing');
    expect(text).toContain('m int4 gguf: norm epsilon is 1e-05, expected 1e-06');
    expect(text).not.toContain('norms');
  });
});
