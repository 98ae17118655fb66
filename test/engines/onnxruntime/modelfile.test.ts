import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ModelFile, readModelFile } from '../../../src/engines/onnxruntime/modelfile.ts';
import * as onnx from '../../../src/engines/onnxruntime/onnxbytes.ts';
import { EngineError } from '../../../src/errors.ts';
import { incrementModel } from './capi/increment-model.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'ortbench-modelfile-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

function read(bytes: Uint8Array): ModelFile {
  const path = join(dir, 'model.onnx');
  writeFileSync(path, bytes);
  return readModelFile(path);
}
const failed = (message: RegExp) =>
  expect.objectContaining({ code: 'failed', message: expect.stringMatching(message) });

describe('a model file', () => {
  test('counts operators, subgraphs included', () => {
    const subgraph = onnx.message(6, onnx.node('Add', ['a', 'b'], ['c']), onnx.node('If', [], ['d']));
    const branch = onnx.message(
      1,
      onnx.message(4, 'If'),
      onnx.message(5, onnx.message(1, 'then_branch'), subgraph),
    );
    const { operators } = read(onnx.model(onnx.node('Add', ['x', 'y'], ['z']), branch));
    expect(operators).toEqual(
      new Map([
        ['Add', 2],
        ['If', 2],
      ]),
    );
  });

  test('tells the distinct settings of MatMulNBits, with the defaults of unset ones', () => {
    const matmul = (attributes: Record<string, number>) =>
      onnx.node('MatMulNBits', ['x'], ['y'], attributes, 'com.microsoft');
    const { quantization } = read(
      onnx.model(
        matmul({ K: 64, N: 64, bits: 4, block_size: 32, accuracy_level: 4 }),
        matmul({ K: 128, N: 64, bits: 4, block_size: 32, accuracy_level: 4 }),
        matmul({ K: 64, N: 64, block_size: 128 }),
      ),
    );
    expect(quantization).toEqual([
      { bits: 4, blockSize: 32, accuracyLevel: 4 },
      { bits: 4, blockSize: 128, accuracyLevel: 0 },
    ]);
  });

  test('lists external data wherever a tensor can hide: weights, attributes, subgraphs, functions', () => {
    const weight = (location: string) => onnx.externalTensor('w', onnx.FLOAT, [1], location, 4);
    const inNode = (location: string, field: number) =>
      onnx.message(
        1,
        onnx.message(4, 'Constant'),
        onnx.message(5, onnx.message(1, 'value'), asField(weight(location), field)),
      );
    const graph = onnx.model(weight('a.data'), weight('a.data'), inNode('b.data', 5), inNode('c.data', 10));
    const hidden = onnx.message(25, asField(inNode('d.data', 5), 7));
    const training = onnx.message(20, onnx.message(1, weight('e.data')));
    const sparse = onnx.model(onnx.message(15, asField(weight('f.data'), 1)), onnx.node('Add', [], ['y']));
    expect(read(Buffer.concat([graph, hidden, training])).externalData).toEqual([
      'a.data',
      'b.data',
      'c.data',
      'd.data',
      'e.data',
    ]);
    expect(read(sparse).externalData).toEqual(['f.data']);
  });

  test('steps over embedded weights that are larger than its window', () => {
    const weights = onnx.tensor('w', onnx.FLOAT, [100_000], new Float32Array(100_000).fill(1));
    const { operators } = read(onnx.model(weights, onnx.node('Add', ['x', 'w'], ['y'])));
    expect(operators.get('Add')).toBe(1);
  });
});

describe('bytes that are no model', () => {
  test('a missing file and an empty one are failures that name the file', () => {
    expect(() => readModelFile(join(dir, 'absent.onnx'))).toThrow(failed(/absent\.onnx/));
    expect(() => read(new Uint8Array(0))).toThrow(
      failed(/model\.onnx is not a valid ONNX model: it has no graph/),
    );
  });

  test('a file cut off anywhere is read or refused, never a crash or a hang', () => {
    const whole = incrementModel();
    let refused = 0;
    for (let end = 0; end < whole.length; end++) {
      try {
        read(whole.subarray(0, end));
      } catch (error) {
        expect(error).toBeInstanceOf(EngineError);
        refused++;
      }
    }
    expect(refused).toBe(whole.length);
  });

  test('a length beyond the file, field number 0, a group and an endless varint are refused', () => {
    expect(() => read(Buffer.from([0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f]))).toThrow(
      failed(/longer than its message/),
    );
    expect(() => read(Buffer.from([0x00, 0x01]))).toThrow(failed(/field number 0/));
    expect(() => read(Buffer.from([0x0b, 0x0c]))).toThrow(failed(/wire type 3/));
    expect(() => read(Buffer.alloc(64, 0xff))).toThrow(failed(/unfinished number/));
  });

  test('nesting without end is refused', () => {
    let nested = onnx.node('Add', [], ['y']);
    for (let i = 0; i < 500; i++) {
      nested = onnx.message(1, onnx.message(4, 'If'), onnx.message(5, onnx.message(6, nested)));
    }
    expect(() => read(onnx.model(nested))).toThrow(failed(/nest too deeply/));
  });
});

/** The same message under another field number (both below 16, so one byte of tag). */
function asField(bytes: Buffer, field: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[0] = (field << 3) | (copy[0]! & 7);
  return copy;
}
