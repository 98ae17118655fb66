import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { genai } from '../../../src/engines/genai/engine.ts';
import { pythonRunnerCommand } from '../../../src/engines/python/command.ts';
import { pytorchCompile } from '../../../src/engines/pytorch/compile.ts';
import { pytorchEager } from '../../../src/engines/pytorch/eager.ts';
import { runnersDir } from '../../../src/python/locks.ts';

describe('the command of a Python runner', () => {
  let root: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'ortbench-command-'));
    await writeFile(join(root, 'python'), '');
    vi.stubEnv('ORTBENCH_CACHE', join(root, 'cache'));
    vi.stubEnv('ORTBENCH_PYTHON', join(root, 'python'));
  });

  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(root, { recursive: true, force: true });
  });

  it('starts the module of each engine in the environment', async () => {
    const commandOf = async (engine: typeof genai) => {
      if (engine.drive.kind !== 'runner') throw new Error('not a runner');
      const { file, args } = await engine.drive.command();
      expect(file).toBe(join(root, 'python'));
      return args;
    };
    expect(await commandOf(pytorchEager)).toEqual(['-m', 'ortbench_runners.pytorch', '--mode', 'eager']);
    expect(await commandOf(pytorchCompile)).toEqual(['-m', 'ortbench_runners.pytorch', '--mode', 'compile']);
    expect(await commandOf(genai)).toEqual(['-m', 'ortbench_runners.genai']);
  });

  it('passes on what is on a list, and no token', async () => {
    vi.stubEnv('HF_TOKEN', 'canary');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'canary');
    vi.stubEnv('PYTHONPATH', '/somewhere/else');
    vi.stubEnv('OMP_NUM_THREADS', '1');
    vi.stubEnv('CUDA_VISIBLE_DEVICES', '0');
    const { env } = await pythonRunnerCommand('module', []);
    expect(JSON.stringify(env)).not.toContain('canary');
    expect(env.OMP_NUM_THREADS, 'threads are the runner’s to set').toBeUndefined();
    expect(env.CUDA_VISIBLE_DEVICES).toBe('0');
    expect(env.PATH).toBe(process.env.PATH);
    expect(env.PYTHONPATH).toBe(runnersDir);
    expect(env.HF_HUB_OFFLINE).toBe('1');
    expect(env.TORCHINDUCTOR_CACHE_DIR).toBe(join(root, 'cache', 'torchinductor'));
  });

  it('says what makes the environment where there is none', async () => {
    vi.stubEnv('ORTBENCH_PYTHON', '');
    await expect(pythonRunnerCommand('module', [])).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('npx ortbench setup'),
    });
  });
});
