import { describe, expect, it } from 'vitest';
import type { MemoryTraits } from '../../src/engines/engine.ts';
import { kvBytesPerToken, predictMemory, weightBytes } from '../../src/plan/memory.ts';
import type { Cell } from '../../src/schema/cell.ts';
import { meta, shape } from './fixtures.ts';

const cell: Cell = {
  engine: 'a',
  model: 'm',
  precision: 'fp32',
  device: 'cpu',
  batchSize: 4,
  promptLength: { length: 256, spread: 0 },
  generate: 256,
};
const MIB = 2 ** 20;

describe('weights', () => {
  const table = shape.vocabSize * shape.hiddenSize;

  it('are parameters × bytes where everything has one width', () => {
    expect(weightBytes('fp32', shape, 'gguf')).toBe(shape.parameters * 4);
    expect(weightBytes('bf16', shape, 'checkpoint')).toBe(shape.parameters * 2);
  });

  it('in int4 take 4 bits and the scales of blocks of 32', () => {
    expect(weightBytes('int4', { ...shape, tiedEmbeddings: false }, 'gguf')).toBe(
      ((shape.parameters - table) * 18) / 32 + table * 4,
    );
  });

  it('count a tied head once more where it is stored narrower than the embedding', () => {
    const layers = shape.parameters - table;
    expect(weightBytes('int4', shape, 'onnx')).toBe(layers * (20 / 32) + table * 4 + table * (20 / 32));
    const untied = { ...shape, tiedEmbeddings: false };
    expect(weightBytes('int4', untied, 'onnx')).toBe(layers * (20 / 32) + table * 4);
  });

  it('count a tied head once more in an ONNX graph, which has it written out', () => {
    expect(weightBytes('fp32', shape, 'onnx')).toBe(shape.parameters * 4 + table * 4);
    expect(weightBytes('fp32', { ...shape, tiedEmbeddings: false }, 'onnx')).toBe(shape.parameters * 4);
  });

  it('are nothing for engines that load none', () => {
    expect(weightBytes('fp32', shape, 'none')).toBe(0);
    expect(kvBytesPerToken('fp32', shape, 'none')).toBe(0);
  });
});

describe('peak', () => {
  it('is base, weights, KV, logits and activations', () => {
    const estimate = predictMemory(cell, shape, meta('a', { artefact: 'gguf' }));
    expect(estimate.kvMiB * MIB).toBe(2 * 6 * 4 * 64 * 4 * 4 * 512);
    expect(estimate.logitsMiB * MIB).toBe(2 * 4 * 32_000 * 4);
    const { baseMiB, weightsMiB, kvMiB, logitsMiB, activationsMiB, peakMiB } = estimate;
    expect(peakMiB).toBeCloseTo(baseMiB + weightsMiB + kvMiB + logitsMiB + activationsMiB, 6);
  });

  it('is that of loading where it holds more than running', () => {
    const small = { ...cell, batchSize: 1, promptLength: { length: 8, spread: 0 }, generate: 2 };
    const estimate = predictMemory(small, shape, meta('a', { artefact: 'checkpoint' }));
    const int4 = predictMemory({ ...small, precision: 'int4' }, shape, meta('a', { artefact: 'checkpoint' }));
    // int4 is packed from fp32 values, so while loading it holds more than fp32 itself.
    expect(int4.weightsMiB).toBeLessThan(estimate.weightsMiB);
    expect(int4.peakMiB).toBeGreaterThan(estimate.peakMiB);
  });

  it('has no compiler in it while an engine loads', () => {
    const small = { ...cell, batchSize: 1, promptLength: { length: 8, spread: 0 }, generate: 2 };
    const peak = (processMiB: number) => {
      const memory = { compile: { processMiB, weightCopies: 2 } };
      return predictMemory(
        { ...small, precision: 'int4' },
        shape,
        meta('a', { artefact: 'checkpoint', memory }),
      ).peakMiB;
    };
    expect(peak(1)).toBe(peak(0));
    expect(peak(1000)).toBeGreaterThan(peak(0) + 500);
  });

  it('holds of a mapped embedding table what tokens touched', () => {
    const mapped = (batchSize: number) =>
      predictMemory({ ...cell, batchSize }, shape, meta('a', { artefact: 'checkpoint' })).weightsMiB;
    const whole = weightBytes('fp32', shape, 'checkpoint') / MIB;
    expect(mapped(1)).toBeLessThan(whole * 0.8);
    expect(mapped(64)).toBeCloseTo(whole, 0);
  });

  it('follows what an engine says of its memory', () => {
    const peak = (memory: Partial<MemoryTraits>) =>
      predictMemory(cell, shape, meta('a', { artefact: 'checkpoint', memory })).peakMiB;
    expect(peak({ processMiB: 1000 })).toBeGreaterThan(peak({ processMiB: 10 }) + 980);
    expect(peak({ kvCopies: 3 })).toBeGreaterThan(peak({ kvCopies: 1 }));
    expect(peak({ compile: { processMiB: 0, weightCopies: 2 } })).toBeGreaterThan(
      peak({ compile: null }) + 50,
    );
  });

  it('grows with batch, prompt and generated tokens', () => {
    const engine = meta('a', { artefact: 'checkpoint' });
    const peak = (changes: Partial<Cell>) => predictMemory({ ...cell, ...changes }, shape, engine).peakMiB;
    expect(peak({ batchSize: 8 })).toBeGreaterThan(peak({}));
    expect(peak({ promptLength: { length: 512, spread: 0 } })).toBeGreaterThan(peak({}));
    expect(peak({ generate: 1024 })).toBeGreaterThan(peak({}));
  });
});
