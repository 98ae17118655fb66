import { EngineError } from '../../errors.ts';
import type { MatMulNBits } from './modelfile.ts';
import * as onnx from './onnxbytes.ts';

/**
 * The accuracy level of MatMulNBits allows a kernel to round activations to 8 bits; whether it does depends on the
 * processor and on the library, and neither says so. A product tells: one activation of 1 and one that 8 bits cannot
 * hold beside it, of which only the latter meets a weight.
 */
const SMALL = 2 ** -9;
/** 1 / 127 is the step of 8 bits whose largest value is 1. */
const LARGE = 1;

export interface KernelProbe {
  readonly model: Buffer;
  readonly activations: Float32Array<ArrayBuffer>;
  /** Of the input and of the output. */
  readonly shape: readonly [rows: 1, columns: number];
}

/** What a MatMulNBits was seen to turn its activations into: int8, or nothing narrower than float32. */
export type ActivationsSeen = 'int8' | 'float32';

/** null for settings whose weights are not packed as int4. */
export function kernelProbe({ bits, blockSize, accuracyLevel }: MatMulNBits): KernelProbe | null {
  if (bits !== 4) return null;
  // Square, and of several blocks, as the matrices of a model are.
  const size = 4 * blockSize;
  const blocks = size / blockSize;
  // Two a byte, low nibble first; 8 is zero, and the second of each row is 9: a weight of 1.
  const packed = new Uint8Array((size * size) / 2).fill(0x88);
  for (let row = 0; row < size; row++) packed[(row * size) / 2] = 0x98;
  const model = onnx.model(
    onnx.node(
      'MatMulNBits',
      ['x', 'packed', 'scales'],
      ['y'],
      { K: size, N: size, bits, block_size: blockSize, accuracy_level: accuracyLevel },
      'com.microsoft',
    ),
    onnx.tensor('packed', onnx.UINT8, [size, blocks, blockSize / 2], packed),
    onnx.tensor('scales', onnx.FLOAT, [size * blocks], new Float32Array(size * blocks).fill(1)),
    onnx.input('x', onnx.FLOAT, [1, size]),
    onnx.output('y', onnx.FLOAT, [1, size]),
  );
  const activations = new Float32Array(new ArrayBuffer(size * 4));
  activations[0] = LARGE;
  activations[1] = SMALL;
  return { model, activations, shape: [1, size] };
}

/** @param products the probe's output @throws EngineError `failed` for products that neither kernel makes */
export function activationsSeen(products: Float32Array): ActivationsSeen {
  if (products.every((value) => value === SMALL)) return 'float32';
  if (products.every((value) => value !== SMALL && Math.abs(value) < LARGE / 127)) return 'int8';
  throw new EngineError('failed', `MatMulNBits multiplies ${SMALL} by 1 to ${products[0]}`);
}
