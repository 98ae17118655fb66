import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { pytorchCompile } from '../../../src/engines/pytorch/compile.ts';
import { findCompiler } from '../../../src/engines/pytorch/compiler.ts';
import { pytorchEager } from '../../../src/engines/pytorch/eager.ts';

/** An interpreter that answers the inspection with these words. */
async function makeInterpreter(root: string, name: string, answer: unknown): Promise<string> {
  const file = join(root, name);
  await writeFile(file, `#!/bin/sh\nif [ "$1" = -c ]; then echo '${JSON.stringify(answer)}'; fi\n`);
  await chmod(file, 0o755);
  return file;
}

const complete = { torch: '2.13.0', transformers: '5.23.0' };

describe.skipIf(process.platform === 'win32')('the PyTorch engines', () => {
  let root: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'ortbench-pytorch-'));
    vi.stubEnv('ORTBENCH_CACHE', join(root, 'cache'));
    vi.stubEnv('ORTBENCH_PYTHON', '');
  });

  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(root, { recursive: true, force: true });
  });

  it('say how to get an environment that is not there', async () => {
    for (const engine of [pytorchEager, pytorchCompile]) {
      expect(await engine.probe('cpu', {})).toEqual({
        available: false,
        reason: 'the Python environment is not made yet',
        mend: 'npx ortbench setup',
      });
    }
  });

  it('report the versions of an environment that is', async () => {
    const interpreter = await makeInterpreter(root, 'complete', {
      python: '3.11.7',
      packages: complete,
      headers: true,
    });
    vi.stubEnv('ORTBENCH_PYTHON', interpreter);
    vi.stubEnv('CXX', interpreter);
    const expected = { available: true, versions: { python: '3.11.7', ...complete }, notes: [] };
    expect(await pytorchEager.probe('cpu', {})).toEqual(expected);
    expect(await pytorchCompile.probe('cpu', {})).toEqual(expected);
  });

  it('name the package that is missing', async () => {
    const { torch: _, ...packages } = complete;
    const answer = { python: '3.11.7', packages, headers: true };
    vi.stubEnv('ORTBENCH_PYTHON', await makeInterpreter(root, 'torchless', answer));
    expect(await pytorchEager.probe('cpu', {})).toMatchObject({
      available: false,
      reason: 'the Python environment has no torch',
    });
  });

  it('need a compiler and headers for torch.compile only', async () => {
    const answer = { python: '3.11.7', packages: complete, headers: false };
    const interpreter = await makeInterpreter(root, 'headerless', answer);
    vi.stubEnv('ORTBENCH_PYTHON', interpreter);
    vi.stubEnv('CXX', join(root, 'no-such-compiler'));
    expect(await pytorchEager.probe('cpu', {})).toMatchObject({ available: true });
    expect(await pytorchCompile.probe('cpu', {})).toMatchObject({
      available: false,
      mend: 'apt install g++',
    });
    vi.stubEnv('CXX', interpreter);
    expect(await pytorchCompile.probe('cpu', {})).toMatchObject({
      available: false,
      mend: 'apt install python3-dev',
    });
  });

  it('ask PyTorch itself about CUDA', async () => {
    // One object answers both questions.
    const answer = { python: '3.11.7', packages: complete, headers: true, build: null, available: false };
    vi.stubEnv('ORTBENCH_PYTHON', await makeInterpreter(root, 'cpu-only', answer));
    expect(await pytorchEager.probe('cuda', {})).toMatchObject({
      available: false,
      reason: expect.stringMatching(/PyTorch .* was built without CUDA$/),
    });
    expect(await pytorchEager.probe('webgpu', {})).toMatchObject({ available: false });
  });

  it('find the compiler that torch.compile would call', async () => {
    const compiler = await makeInterpreter(root, 'g++', '');
    expect(await findCompiler({ PATH: `/nowhere:${root}`, CXX: 'g++' })).toBe('g++');
    expect(await findCompiler({ PATH: '/nowhere', CXX: compiler })).toBe(compiler);
    expect(await findCompiler({ PATH: '/nowhere' })).toBeNull();
  });

  it('take only the options that the runner knows', () => {
    expect(pytorchCompile.options.parse({})).toEqual({ mode: 'auto' });
    expect(pytorchCompile.options.parse({ freezing: false })).toEqual({ mode: 'auto', freezing: false });
    expect(pytorchCompile.options.safeParse({ mode: 'fastest' }).success).toBe(false);
    expect(pytorchEager.options.safeParse({ mode: 'default' }).success).toBe(false);
  });
});
