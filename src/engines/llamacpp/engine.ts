import type { Device } from '../../schema/vocabulary.ts';
import type { Availability, Engine } from '../engine.ts';
import { NativeSession } from '../native/session.ts';
import { compilerOf, hasSlowFloatKernels } from './build.ts';
import { locateLibrary } from './location.ts';
import { optionsSchema } from './options.ts';

/** Looks for the files only: a library that is loaded into the harness stays there, and another could not be after it. */
async function probe(device: Device, options: Record<string, unknown> = {}): Promise<Availability> {
  if (device !== 'cpu') {
    return {
      available: false,
      reason: `llama.cpp is driven on the CPU only, not on ${device}`,
      mend: 'set device: cpu',
    };
  }
  const parsed = optionsSchema.safeParse(options);
  const location = locateLibrary(parsed.success ? parsed.data.libraryDir : undefined);
  if ('missing' in location) return { available: false, ...location.missing };
  const compiler = compilerOf(location.found.libllama);
  const notes = [`libraries: ${location.found.description}, ${compiler ?? 'compiler unknown'}`];
  if (hasSlowFloatKernels(compiler)) {
    notes.push(
      'built by an old compiler: fp32, fp16 and bf16 prompts run at about half the speed of a native build ' +
        '(GCC 12 or newer), int4 at full speed; name a folder of your own build in the engine option libraryDir',
    );
  }
  return { available: true, versions: { ...location.found.versions }, notes };
}

/** llama.cpp through the C API of a prebuilt or the user's own libllama. */
export const llamacpp: Engine = {
  meta: {
    id: 'llamacpp',
    title: 'llama.cpp',
    artefact: 'gguf',
    precisions: { cpu: { fp32: true, fp16: true, bf16: true, int4: true } },
    ragged: true,
    isolation: 'process',
    compiles: false,
  },
  options: optionsSchema,
  probe,
  drive: {
    kind: 'native',
    load: async (request) => new NativeSession(await (await import('./load.ts')).load(request)),
  },
};
