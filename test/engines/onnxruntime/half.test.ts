import { expect, test } from 'vitest';
import { float16ToFloat32 } from '../../../src/engines/onnxruntime/half.ts';

test('bit patterns of IEEE 754 binary16 become their values', () => {
  const cases: [number, number][] = [
    [0x0000, 0],
    [0x8000, -0],
    [0x0001, 2 ** -24],
    [0x03ff, 1023 * 2 ** -24],
    [0x0400, 2 ** -14],
    [0x3555, 0.333251953125],
    [0x3c00, 1],
    [0xc000, -2],
    [0x7bff, 65504],
    [0x7c00, Number.POSITIVE_INFINITY],
    [0xfc00, Number.NEGATIVE_INFINITY],
    [0x7e01, Number.NaN],
  ];
  const target = new Float32Array(cases.length + 2).fill(42);
  float16ToFloat32(
    Uint16Array.from(cases, ([bits]) => bits),
    target,
    1,
  );
  expect([...target]).toEqual([42, ...cases.map(([, value]) => value), 42]);
});
