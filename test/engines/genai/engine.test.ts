import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { genai } from '../../../src/engines/genai/engine.ts';

describe('genai', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('is driven on the CPU only', async () => {
    expect(await genai.probe('cuda', {})).toMatchObject({ available: false, mend: 'set device: cpu' });
    expect(Object.keys(genai.meta.precisions)).toEqual(['cpu']);
  });

  it('says how to get an environment that is not there', async () => {
    const root = await mkdtemp(join(tmpdir(), 'ortbench-genai-'));
    vi.stubEnv('ORTBENCH_CACHE', root);
    vi.stubEnv('ORTBENCH_PYTHON', '');
    expect(await genai.probe('cpu', {})).toMatchObject({ available: false, mend: 'npx ortbench setup' });
    await rm(root, { recursive: true });
  });
});
