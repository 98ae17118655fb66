import { describe, expect, it } from 'vitest';
import { contextLimit } from '../../src/engines/context-limit.ts';
import type { Engine } from '../../src/engines/engine.ts';
import { ENGINES } from '../../src/engines/index.ts';
import { type ResolvedModel, resolveModel } from '../../src/models/catalogue.ts';
import { prepareArtefact } from '../../src/models/prepare.ts';
import { openSession } from '../../src/runner/open-session.ts';
import { sessionLimits } from './limits.ts';

/** Compiling takes minutes; what a compiled engine computes is tested with its runner. */
const engines = (await Promise.all(Object.values(ENGINES).map((load) => load()))).filter(
  ({ meta }) => meta.artefact !== 'none' && !meta.compiles,
);
const GENERATE = 12;
const MINUTES = 60_000;

/** Greedy tokens in fp32 after two prompts of that length. */
async function answer(engine: Engine, model: ResolvedModel, promptLength: number): Promise<number[][]> {
  const { artefact: kind, isolation } = engine.meta;
  const artefact = await prepareArtefact({ model, kind: kind as 'onnx', precision: 'fp32', device: 'cpu' });
  const capacity = promptLength + GENERATE;
  const request = {
    model: model.spec.name,
    artefactDir: artefact.dir,
    precision: 'fp32',
    device: 'cpu',
    threads: 1,
    maxBatchSize: 2,
    maxSequenceLength: capacity,
    options: engine.options.parse({}),
  } as const;
  const session = await openSession(engine, request, isolation, sessionLimits);
  const prompts = [1, 2].map((row) =>
    Array.from({ length: promptLength }, (_, i) => 3 + ((row * 31 + i * 7 + ((i * i) % 11)) % 500)),
  );
  try {
    return (await session.generate({ prompts, generate: GENERATE, capacity, measurePeakMemory: false }))
      .tokens;
  } finally {
    await session.close();
  }
}

describe.each([
  // Its window is 32: the longer prompts are computed by engines that keep to it, and refused by the others.
  ['mistral-nano-window', [16, 48]],
  ['gemma-nano', [16]],
  ['phi-nano', [16]],
] as const)('%s', (name, promptLengths) => {
  it.each(promptLengths)(
    'gets the same tokens from every engine after prompts of %d',
    async (promptLength) => {
      const model = await resolveModel(name, '.');
      const reference = engines.find(({ meta }) => meta.reference)!;
      const expected = await answer(reference, model, promptLength);
      expect(new Set(expected.flat()).size, 'always the same token proves nothing').toBeGreaterThan(6);
      for (const engine of engines) {
        const { tokens, reason } = contextLimit(engine.meta, model.shape);
        const given = answer(engine, model, promptLength);
        if (promptLength + GENERATE <= tokens) expect(await given, engine.meta.id).toEqual(expected);
        else await expect(given, `${engine.meta.id}: ${reason}`).rejects.toThrow(/sliding window/);
      }
    },
    5 * MINUTES,
  );
});
