import { join } from 'node:path';
import { packageRoot } from '../../files/package-root.ts';
import type { Device } from '../../schema/vocabulary.ts';
import { describeDevice, firstDevice, unavailable } from '../device-check.ts';
import type { Availability, Engine } from '../engine.ts';
import { refusalOf } from '../query.ts';
import type { GpuDevice } from './backends.ts';
import { hasSlowFloatKernels, libraryCompiler } from './build.ts';
import { locateGpuLibrary, locateLibrary } from './location.ts';
import { NATIVE_COMMAND } from './native/source.ts';
import { type LlamaCppOptions, optionsSchema } from './options.ts';
import { locateBatchedBench } from './tools/location.ts';
import { programVersion } from './tools/program.ts';

const NO_GPU_TOOLS = 'llama-batched-bench is driven on the CPU only';

/** Looks for the files only: a library that is loaded into the harness stays there, and another could not be after it. */
async function probe(device: Device, options: Record<string, unknown>): Promise<Availability> {
  const { library, libraryDir, toolsDir } = optionsSchema.parse(options);
  if (device !== 'cpu') return probeGpu(device, { libraryDir, toolsDir });
  if (toolsDir !== undefined) return probeTools(toolsDir);
  const location = locateLibrary({ library, libraryDir });
  if ('missing' in location) return { available: false, ...location.missing };
  const compiler = libraryCompiler(location.found, location.found.libllama);
  const notes = [`libraries: ${location.found.description}, ${compiler ?? 'compiler unknown'}`];
  if (hasSlowFloatKernels(compiler)) {
    notes.push(
      'built by an old compiler: fp32, fp16 and bf16 prompts run at about half the speed of a native build, int4 at ' +
        `full speed; to build one in some minutes: ${NATIVE_COMMAND}`,
    );
  }
  return { available: true, versions: { ...location.found.versions }, notes };
}

/** A library with that backend, and a device for it. */
async function probeGpu(
  device: GpuDevice,
  { libraryDir, toolsDir }: Pick<LlamaCppOptions, 'libraryDir' | 'toolsDir'>,
): Promise<Availability> {
  const found = await firstDevice(device);
  const location = locateGpuLibrary(device, { libraryDir });
  const lacks = [
    ...('lack' in found ? [found.lack] : []),
    ...('missing' in location ? [location.missing] : []),
    ...(toolsDir === undefined ? [] : [{ reason: NO_GPU_TOOLS, mend: 'leave out the option toolsDir' }]),
  ];
  if (lacks.length > 0 || 'lack' in found || 'missing' in location) return unavailable(lacks);
  const program = join(packageRoot, 'dist/engines/llamacpp/gpu-query.js');
  const refusal = await refusalOf(program, [device, JSON.stringify({ libraryDir })], 'llama.cpp');
  if (refusal !== null) return unavailable([{ reason: refusal, mend: 'see docs/devices.md' }]);
  const { description, versions } = location.found;
  const notes = [`libraries: ${description}`, describeDevice(found.device)];
  return { available: true, versions: { ...versions }, notes };
}

async function probeTools(toolsDir: string): Promise<Availability> {
  const file = locateBatchedBench(toolsDir);
  if (file === null) {
    return {
      available: false,
      reason: `there is no llama-batched-bench that can be run in toolsDir ${toolsDir}`,
      mend: 'set toolsDir to the folder that holds it',
    };
  }
  const version = await programVersion(file);
  const notes = ['driven through llama-batched-bench: parity cannot be checked'];
  return { available: true, versions: { 'llama-batched-bench': version }, notes };
}

/** llama.cpp through the C API of a native, a prebuilt or the user's own libllama. */
export const llamacpp: Engine = {
  meta: {
    id: 'llamacpp',
    title: 'llama.cpp',
    artefact: 'gguf',
    precisions: {
      cpu: { fp32: true, fp16: true, bf16: true, int4: true },
      cuda: { fp32: true, fp16: true, bf16: true, int4: true },
      // Through its Vulkan backend.
      webgpu: { fp32: true, fp16: true, bf16: true, int4: true },
    },
    ragged: true,
    isolation: 'process',
    compiles: false,
    coarseFp32: {
      activation: 'gelu',
      reason: 'ggml looks GELU up in a table of fp16 values, whatever the precision of the weights',
    },
    sparesLastMlp: true,
    ignoresSlidingWindow: 'llama.cpp runs Mistral as a Llama model, whose attention sees every token',
  },
  options: optionsSchema,
  probe,
  installs: {
    native: {
      does: 'llama.cpp compiled for this processor, with its tools; some minutes, needs CMake and a C++ compiler',
      async run(onProgress) {
        const { binDir, manifest } = await (await import('./native/install.ts')).installNative(onProgress);
        const { version, compiler, llamaCpp } = manifest;
        return { path: binDir, [manifest.package]: version, compiler, 'llama.cpp': llamaCpp };
      },
    },
  },
  drive: {
    kind: 'native',
    load: async (request) => (await import('./open.ts')).open(request),
  },
};
