import { EngineError } from '../../../errors.ts';
import type { ProviderFacts } from '../providers.ts';
import type { OrtLibrary } from './library.ts';
import { stringArray } from './strings.ts';

/** Execution providers that the library was built with; that one is listed does not mean that its device is there. */
export function availableProviders(library: OrtLibrary): string[] {
  const { calls, output, check } = library;
  const doing = 'listing its execution providers';
  // int*, of which the call writes 32 bits.
  const count = new BigUint64Array(new ArrayBuffer(8));
  const list = output(doing, (out) => calls.GetAvailableProviders(out, count));
  const length = Number(count[0]);
  try {
    return library.pointers(list, length).map((text) => library.text(text));
  } finally {
    check(calls.ReleaseAvailableProviders(list, length), doing);
  }
}

/**
 * Puts a provider before the CPU's, which ONNX Runtime always adds last.
 * @throws EngineError `unavailable` where the provider cannot be had: its library, its driver or its device is missing
 */
export function appendProvider(
  library: OrtLibrary,
  sessionOptions: bigint,
  { append, provider, options: defaults }: ProviderFacts,
  userOptions: Readonly<Record<string, string>>,
): void {
  const { calls } = library;
  const options = Object.entries({ ...defaults, ...userOptions });
  const keys = stringArray(
    options.map(([key]) => key),
    library.addressOf,
  );
  const values = stringArray(
    options.map(([, value]) => value),
    library.addressOf,
  );
  try {
    if (append !== 'cuda') {
      const status = calls.SessionOptionsAppendExecutionProvider(
        sessionOptions,
        append.generic,
        keys.pointers,
        values.pointers,
        options.length,
      );
      library.check(status, `adding ${provider}`);
      return;
    }
    const cuda = library.output('creating CUDA options', (out) => calls.CreateCUDAProviderOptions(out));
    try {
      const status = calls.UpdateCUDAProviderOptions(cuda, keys.pointers, values.pointers, options.length);
      library.check(status, `setting the options of ${provider}`);
      library.check(
        calls.SessionOptionsAppendExecutionProvider_CUDA_V2(sessionOptions, cuda),
        `adding ${provider}`,
      );
    } finally {
      calls.ReleaseCUDAProviderOptions(cuda);
    }
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    throw new EngineError('unavailable', error.message, { cause: error });
  }
}
