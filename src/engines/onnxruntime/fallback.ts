import { EngineError } from '../../errors.ts';
import type { Placement } from './capi/session.ts';
import { CPU_PROVIDER } from './providers.ts';

/**
 * What may stay on the host beside a device: arithmetic on shapes, lengths and the mask, a few integers each. ONNX Runtime
 * places it there by itself, for it would be slower on the device.
 */
const INTEGER_ARITHMETIC = new Set([
  ...[
    'Shape',
    'Size',
    'Gather',
    'Cast',
    'Constant',
    'ConstantOfShape',
    'Sub',
    'Add',
    'Mul',
    'Div',
    'ReduceSum',
  ],
  ...[
    'Squeeze',
    'Unsqueeze',
    'Concat',
    'Reshape',
    'Range',
    'Slice',
    'Equal',
    'Where',
    'Expand',
    'Less',
    'Greater',
  ],
]);

/**
 * A provider leaves to the CPU what it has no kernel for, without a word: each such node would copy its tensors from the
 * device and back.
 * @throws EngineError `unsupported` naming the operators; `unavailable` where no node came to the provider at all
 */
export function refuseFallback(placement: Placement | null, provider: string): void {
  if (placement === null) return;
  if (!placement.has(provider)) {
    const others = [...placement.keys()].join(', ');
    throw new EngineError('unavailable', `ONNX Runtime gave no node to ${provider}, all to ${others}`);
  }
  const strays = [...(placement.get(CPU_PROVIDER) ?? [])].filter(([type]) => !INTEGER_ARITHMETIC.has(type));
  if (strays.length === 0) return;
  const named = strays.map(([type, nodes]) => `${type} ×${nodes}`).join(', ');
  throw new EngineError(
    'unsupported',
    `${provider} has no kernel for ${named}: the CPU would compute them without a word, copying to and fro`,
  );
}
