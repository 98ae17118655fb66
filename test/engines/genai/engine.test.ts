import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { genai } from '../../../src/engines/genai/engine.ts';

describe('genai', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('has a path for CUDA, whose lacks it names, and none for WebGPU', async () => {
    expect(Object.keys(genai.meta.precisions)).toEqual(['cpu', 'cuda']);
    const probe = await genai.probe('cuda', {});
    if (!probe.available) expect(probe.reason).toMatch(/NVIDIA|nvidia-smi|built without CUDA|environment/);
  });

  it('says how to get an environment that is not there', async () => {
    const root = await mkdtemp(join(tmpdir(), 'ortbench-genai-'));
    vi.stubEnv('ORTBENCH_CACHE', root);
    vi.stubEnv('ORTBENCH_PYTHON', '');
    expect(await genai.probe('cpu', {})).toMatchObject({ available: false, mend: 'npx ortbench setup' });
    await rm(root, { recursive: true });
  });
});
