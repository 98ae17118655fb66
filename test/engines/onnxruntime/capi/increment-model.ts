import { FLOAT, input, model, node, output, tensor } from '../../../../src/engines/onnxruntime/onnxbytes.ts';

/** y = x + 1, over float vectors. */
export const incrementModel = (): Buffer =>
  model(
    node('Add', ['x', 'one'], ['y']),
    tensor('one', FLOAT, [1], Float32Array.of(1)),
    input('x', FLOAT, ['n']),
    output('y', FLOAT, ['n']),
  );
