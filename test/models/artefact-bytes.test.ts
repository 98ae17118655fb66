import { expect, it } from 'vitest';
import { resolveModel } from '../../src/models/catalogue.ts';
import { artefactBytes } from '../../src/models/prepare.ts';

// GiB of the files that were made of the true shapes with one layer.
it.each([
  ['llama-2-7b', 'checkpoint', 'fp32', 1.74],
  ['llama-2-7b', 'onnx', 'fp32', 1.74],
  ['llama-2-7b', 'onnx', 'int4', 0.686],
  ['llama-2-7b', 'gguf', 'int4', 0.663],
  ['gemma-7b', 'checkpoint', 'int4', 3.97],
  ['gemma-7b', 'gguf', 'fp32', 3.97],
  ['gemma-7b', 'onnx', 'fp32', 6.9],
] as const)(
  'the room for %s %s %s is no less than it takes, and not much more',
  async (name, kind, precision, gib) => {
    const { shape } = await resolveModel(name, '.', { layers: 1 });
    const asked = artefactBytes(kind, precision, shape) / 2 ** 30;
    expect(asked).toBeGreaterThanOrEqual(gib * 0.995);
    // At most, a tied head is counted that this family does not write out.
    expect(asked).toBeLessThan(gib * (shape.tiedEmbeddings && precision === 'int4' ? 1.85 : 1.1));
  },
);
