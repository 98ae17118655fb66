import type { InferenceSession } from 'onnxruntime-node';
import type { MatMulNBits } from '../onnxruntime/modelfile.ts';
import { type ActivationsSeen, activationsSeen, kernelProbe } from '../onnxruntime/quantized-kernel.ts';
import { asEngineError, type Ort } from './binding.ts';

/** Multiplies once with the library's own kernel, in a session of these settings; null for weights other than int4. */
export async function probeKernel(
  ort: Ort,
  quantization: MatMulNBits,
  settings: InferenceSession.SessionOptions,
): Promise<ActivationsSeen | null> {
  const probe = kernelProbe(quantization);
  if (probe === null) return null;
  try {
    const session = await ort.InferenceSession.create(probe.model, { ...settings, enableProfiling: false });
    const { y } = await session.run({ x: new ort.Tensor('float32', probe.activations, probe.shape) });
    await session.release();
    return activationsSeen(y!.data as Float32Array);
  } catch (error) {
    throw asEngineError(error, 'looking at the kernel of MatMulNBits');
  }
}
