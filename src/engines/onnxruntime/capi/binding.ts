import type { OrtLibrary } from './library.ts';
import type { OrtSession } from './session.ts';
import type { OrtTensor } from './tensor.ts';

/**
 * Inputs and outputs bound to fixed memory. Runs of one binding must not overlap. After a name that the model lacks was
 * refused, ONNX Runtime leaves the binding unusable.
 */
export interface OrtBinding {
  /**
   * Replaces what was bound; ONNX Runtime keeps its own reference, so the tensor may be released afterwards. Where the
   * input is wanted on another device it is copied there now: what is written to the host tensor later is not seen.
   */
  bindInput(name: string, tensor: OrtTensor): void;
  bindOutput(name: string, tensor: OrtTensor): void;
  /** Blocks until every output is written. 2 to 3 µs above the model's own time. */
  run(): void;
  /** Blocks until the device has finished what it was given and every output can be read. */
  synchroniseOutputs(): void;
  release(): void;
}

export function createBinding(library: OrtLibrary, session: OrtSession): OrtBinding {
  const { calls } = library;
  const handle = library.output('creating an I/O binding', (out) =>
    calls.CreateIoBinding(session.handle, out),
  );
  const memory = new Map<string, ArrayBuffer | null>();
  return {
    bindInput(name, tensor) {
      const status = calls.BindInput(handle, name, tensor.handle);
      if (status !== null) library.check(status, `binding the input ${name}`);
      memory.set(name, tensor.memory);
    },
    bindOutput(name, tensor) {
      const status = calls.BindOutput(handle, name, tensor.handle);
      if (status !== null) library.check(status, `binding the output ${name}`);
      memory.set(name, tensor.memory);
    },
    run() {
      const status = calls.RunWithBinding(session.handle, null, handle);
      if (status !== null) library.check(status, 'running the model');
    },
    synchroniseOutputs() {
      const status = calls.SynchronizeBoundOutputs(handle);
      if (status !== null) library.check(status, 'waiting for the device');
    },
    release() {
      calls.ReleaseIoBinding(handle);
      memory.clear();
    },
  };
}
