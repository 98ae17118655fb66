import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runPrepare } from '../../src/commands/prepare.ts';
import { formatPrepared } from '../../src/commands/prepare-table.ts';
import { EXIT } from '../../src/exit-codes.ts';
import { hashFile } from '../../src/models/hashing.ts';
import { endPreparer } from '../../src/models/preparer.ts';
import { ensurePythonEnvironment } from '../../src/python/environment.ts';
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

describe('runPrepare --verify', { timeout: 600_000 }, () => {
  beforeAll(async () => {
    // The environment is found before the cache moves, or a new one would be made there.
    vi.stubEnv('ORTBENCH_PYTHON', await ensurePythonEnvironment(() => {}));
    vi.stubEnv('ORTBENCH_CACHE', join(folder, 'cache'));
  });
  afterAll(async () => {
    await endPreparer();
    vi.unstubAllEnvs();
  });

  it("prints how far PyTorch's int4 is from the checkpoint, and that the others have its values", async () => {
    const options = {
      verify: true,
      precision: ['int4'],
      engine: ['pytorch-eager', 'onnxruntime', 'llamacpp'],
    };
    const { code, stdout } = await capture(() => runPrepare('llama-nano', options));
    const text = plain(stdout);
    expect(code).toBe(0);
    expect(text).toMatch(
      /llama-nano int4 checkpoint: 15 tensors rounded \(int4 blocks of 32, scales in bfloat16\), by up to \S+, 0\.[1-4] % of the value/,
    );
    expect(text).toMatch(/onnx .*│ (\d+) of \1 tensors identical; \d+ constants equal/);
    expect(text).toMatch(/gguf .*│ (\d+) of \1 tensors identical; \d+ constants equal/);
  });

  describe('of weights that differ', () => {
    const options = { verify: true, precision: ['int4'], engine: ['onnxruntime'] };

    /** Flips a bit of the head, which the builder writes last. */
    async function damage(): Promise<{ dir: string; weights: string }> {
      const { stdout } = await capture(() => runPrepare('llama-nano', { ...options, json: true }));
      const { prepared } = JSON.parse(stdout);
      const { dir } = prepared.find(({ kind }: { kind: string }) => kind === 'onnx').artefact;
      const weights = join(dir, 'genai', 'model.onnx.data');
      const bytes = readFileSync(weights);
      const packed = bytes.length - 40_000;
      bytes[packed] = bytes[packed]! ^ 0x10;
      writeFileSync(weights, bytes);
      return { dir, weights };
    }

    it('makes anew what was changed since it was made, and says so', async () => {
      await damage();
      const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
      const { code } = await capture(() => runPrepare('llama-nano', options));
      const lines = said.mock.calls.map(([line]) => String(line)).join('');
      said.mockRestore();
      expect(code).toBe(0);
      expect(lines).toMatch(/model\.onnx\.data changed\): it is made anew/);
    });

    it('ends with code 4 and names the matrix that was made wrong', async () => {
      const { dir, weights } = await damage();
      const described = JSON.parse(readFileSync(join(dir, 'artefact.json'), 'utf8'));
      const sha256 = await hashFile(weights);
      const path = 'genai/model.onnx.data';
      const files = described.files.map((own: { path: string }) =>
        own.path === path ? { ...own, sha256 } : own,
      );
      writeFileSync(join(dir, 'artefact.json'), JSON.stringify({ ...described, files }));
      const { code, stdout } = await capture(() => runPrepare('llama-nano', options));
      expect(code).toBe(EXIT.infrastructure);
      expect(plain(stdout)).toMatch(
        /llama-nano int4 onnx: \/lm_head\/MatMul_Q4 \(int4 blocks of 32\) differs in 1 values/,
      );
    });
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
    largestRelativeDifference: 0,
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

  it('says how far rounding went, for each way of storing', () => {
    const rounded = (storedAs: string, largestDifference: number, largestRelativeDifference: number) => ({
      ...check,
      storedAs,
      largestDifference,
      largestRelativeDifference,
      verdict: 'rounded' as const,
    });
    const tensors = [
      rounded('int4 blocks', 0.00081, 0.0039),
      { ...check, verdict: 'identical' as const },
      rounded('bfloat16', 0.0014, 0.0019),
      rounded('int4 blocks', 0.0012, 0.0028),
    ];
    const verification = { tensors, missing: [], constants: [], ok: true };
    const file = { model: 'm', kind: 'checkpoint', precision: 'int4', outcome: 'prepared' } as const;
    const text = plain(formatPrepared([{ ...file, artefact, verification }], cache));
    expect(text).toContain('1 of 4 tensors identical, 3 rounded');
    expect(text).not.toContain('constants');
    expect(text).toContain(
      'm int4 checkpoint: 2 tensors rounded (int4 blocks), by up to 0.0012, 0.4 % of the value',
    );
    expect(text).toContain(
      'm int4 checkpoint: 1 tensor rounded (bfloat16), by up to 0.0014, 0.2 % of the value',
    );
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
