import { beforeAll, describe, expect, it } from 'vitest';
import { contextLimit } from '../../../src/engines/context-limit.ts';
import { llamacpp } from '../../../src/engines/llamacpp/engine.ts';
import { onnxruntime } from '../../../src/engines/onnxruntime/engine.ts';
import { pytorchEager } from '../../../src/engines/pytorch/eager.ts';
import { type ResolvedModel, resolveModel } from '../../../src/models/catalogue.ts';
import { Workbench } from '../../fixtures/parity/workbench.ts';

const ENGINES = [onnxruntime, pytorchEager, llamacpp];
/** Beyond the window of 32 of one of the models. */
const PROMPT_LENGTH = 40;
const MINUTES = 60_000;

const BOTH = ['fp32', 'int4'] as const;

/** Which families, precisions and kinds of batch compute the same on all engines; by how much: docs/parity.md. */
describe.each([
  ['llama-nano-mha', BOTH],
  ['phi-nano', BOTH],
  ['gemma-nano', BOTH],
  ['mistral-nano-window', BOTH],
  // Rounding adds up over its layers: beyond what two are allowed.
  ['llama-nano-deep', ['int4']],
] as const)('%s', (name, precisions) => {
  let model: ResolvedModel;
  let bench: Workbench;
  beforeAll(async () => {
    model = await resolveModel(name, '.');
    bench = new Workbench(model, pytorchEager, ENGINES);
  });

  describe.each(precisions)('%s', (precision) => {
    it.each(ENGINES.map((engine) => [engine.meta.id, engine] as const))(
      '%s computes what the reference does, in uniform and in ragged batches',
      async (_, engine) => {
        const records = await bench.checkBoth({ engine, precision, promptLength: PROMPT_LENGTH });
        expect(records.map(({ verdict, reason }) => [verdict, reason])).toEqual([
          ['match', null],
          ['match', null],
        ]);
        const [uniform, ragged] = records.map(({ promptLength }) => promptLength);
        expect(uniform!.spread).toBe(0);
        expect(ragged!.spread).toBeGreaterThan(0);
        const { tokens } = contextLimit(engine.meta, model.shape);
        for (const { promptLength, steps, figures } of records) {
          if (tokens > PROMPT_LENGTH) expect(promptLength.length).toBe(PROMPT_LENGTH);
          else expect(promptLength.length + steps).toBeLessThanOrEqual(tokens);
          // An engine that answered with the reference's own logits would be compared with nothing.
          if (precision === 'int4' || !engine.meta.reference)
            expect(figures!.normalisedError).toBeGreaterThan(0);
          expect(figures!.decidedPositions).toBeGreaterThan(0);
        }
      },
      5 * MINUTES,
    );
  });
});
