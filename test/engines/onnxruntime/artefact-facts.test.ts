import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { artefactFacts } from '../../../src/engines/onnxruntime/artefact-facts.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ortbench-facts-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describe('artefactFacts', () => {
  it('says nothing of a model that ortbench did not make', () => {
    expect(artefactFacts(join(dir, 'absent'))).toEqual({});
  });

  it.each([
    [{}, 'none'],
    [{ slidingWindow: 32 }, 32],
  ])('takes types and window from the description with %j', async (window, slidingWindow) => {
    const described = { kind: 'onnx', embeddingType: 'float', headType: 'int4', ...window };
    await writeFile(join(dir, 'ortbench.json'), JSON.stringify(described));
    expect(artefactFacts(dir)).toEqual({ embeddingType: 'float', headType: 'int4', slidingWindow });
  });
});
