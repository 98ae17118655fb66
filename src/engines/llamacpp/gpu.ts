import { EngineError } from '../../errors.ts';
import { BACKENDS, type GpuDevice } from './backends.ts';
import type { Pointer } from './capi/bindings.ts';
import type { Library } from './capi/library.ts';

/** GGML_BACKEND_DEVICE_TYPE_CPU */
const CPU_TYPE = 0;

/** A device of a ggml backend. */
export interface Gpu {
  readonly pointer: Pointer;
  /** As in llama.cpp's log, e.g. "Vulkan0": names of buffers begin with it. */
  readonly name: string;
  /** What the driver calls it. */
  readonly description: string;
  /** Memory free now, in bytes. */
  freeBytes(): number;
}

/**
 * The first device of the backend.
 * @throws EngineError `unavailable` where the library has no such backend, or the backend no device
 */
export function openGpu({ api }: Library, device: GpuDevice): Gpu {
  const { title, registry } = BACKENDS[device];
  const registries = new Set<string>();
  for (let i = 0; i < Number(api.ggml_backend_reg_count()); i++) {
    registries.add(api.ggml_backend_reg_name(api.ggml_backend_reg_get(i)));
  }
  if (!registries.has(registry)) {
    const known = [...registries].join(', ');
    throw new EngineError('unavailable', `this llama.cpp library has no ${title} backend, only ${known}`);
  }
  for (let i = 0; i < Number(api.ggml_backend_dev_count()); i++) {
    const pointer = api.ggml_backend_dev_get(i);
    if (api.ggml_backend_reg_name(api.ggml_backend_dev_backend_reg(pointer)) !== registry) continue;
    if (api.ggml_backend_dev_type(pointer) === CPU_TYPE) continue;
    return {
      pointer,
      name: api.ggml_backend_dev_name(pointer),
      description: api.ggml_backend_dev_description(pointer),
      freeBytes() {
        const free = new BigUint64Array(new ArrayBuffer(8));
        api.ggml_backend_dev_memory(pointer, free, new BigUint64Array(new ArrayBuffer(8)));
        return Number(free[0]);
      },
    };
  }
  throw new EngineError('unavailable', `llama.cpp's ${title} backend finds no device here`);
}

/**
 * Layers that llama.cpp says it put on the device, of all; the embedding's table always stays with the host.
 * @throws EngineError `unsupported` where some stayed on the host: the cell would be measured on both
 */
export function offloadedLayers(lines: readonly string[]): string {
  const match = lines.map((line) => /offloaded (\d+)\/(\d+) layers to GPU/.exec(line)).find(Boolean);
  if (!match) throw new EngineError('unsupported', 'llama.cpp does not say that it put layers on the device');
  const [, offloaded, all] = match;
  if (offloaded === all) return `${offloaded} of ${all}`;
  throw new EngineError('unsupported', `llama.cpp put only ${offloaded} of ${all} layers on the device`);
}

/** Of all buffers of a kind (capi/log.ts), those that lie on the device: its own, and those it shares with the host. */
export function deviceMiB(sizes: ReadonlyMap<string, number>, { name }: Pick<Gpu, 'name'>): number {
  return [...sizes].reduce((sum, [buffer, mib]) => (buffer.startsWith(name) ? sum + mib : sum), 0);
}
