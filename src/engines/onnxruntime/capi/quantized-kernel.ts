import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MatMulNBits } from '../modelfile.ts';
import { type ActivationsSeen, activationsSeen, kernelProbe } from '../quantized-kernel.ts';
import { createBinding } from './binding.ts';
import type { OrtLibrary } from './library.ts';
import { createSession, type SessionSettings } from './session.ts';
import { tensorOver } from './tensor.ts';

/** Multiplies once with the library's own kernel, in a session of these settings; null for weights other than int4. */
export function probeKernel(
  library: OrtLibrary,
  quantization: MatMulNBits,
  settings: SessionSettings,
): ActivationsSeen | null {
  const probe = kernelProbe(quantization);
  if (probe === null) return null;
  const dir = mkdtempSync(join(tmpdir(), 'ortbench-kernel-'));
  const owned: { release(): void }[] = [];
  const own = <T extends { release(): void }>(resource: T): T => {
    owned.unshift(resource);
    return resource;
  };
  try {
    const path = join(dir, 'probe.onnx');
    writeFileSync(path, probe.model);
    const session = own(createSession(library, path, { ...settings, profilePrefix: null }));
    const products = new Float32Array(new ArrayBuffer(probe.activations.byteLength));
    const binding = own(createBinding(library, session));
    const { buffer } = probe.activations;
    binding.bindInput('x', own(tensorOver(library, buffer, 'float32', probe.shape)));
    binding.bindOutput('y', own(tensorOver(library, products.buffer, 'float32', probe.shape)));
    binding.run();
    return activationsSeen(products);
  } finally {
    for (const resource of owned) resource.release();
    rmSync(dir, { recursive: true });
  }
}
