import { existsSync } from 'node:fs';
import path from 'node:path';
import { EngineError } from '../../errors.ts';
import type { Effective, Loaded, LoadRequest } from '../../schema/protocol.ts';
import { deviceEffective, firstDevice } from '../device-check.ts';
import { hasSlowFloatKernels, libraryCompiler } from './build.ts';
import type { Pointer } from './capi/bindings.ts';
import { MODEL_PARAMS, writeField } from './capi/layout.ts';
import { type Library, openLibrary } from './capi/library.ts';
import { bufferSizesMiB } from './capi/log.ts';
import { engineErrorFromLog } from './context.ts';
import { LlamaCppDecoder } from './decoder.ts';
import { deviceMiB, type Gpu, offloadedLayers, openGpu } from './gpu.ts';
import { type LibraryFiles, locateGpuLibrary, locateLibrary } from './location.ts';
import { NATIVE_COMMAND } from './native/source.ts';
import { kvTypeFor, type LlamaCppOptions, parseOptions } from './options.ts';
import { ThreadPool } from './threadpool.ts';
import { readGgufFile } from './weights.ts';

/** A null-terminated list without devices: a build that knows a GPU must not use it for a CPU cell. */
const NO_DEVICES = new BigUint64Array(new ArrayBuffer(8));
/** More than any model has. */
const ALL_LAYERS = 100_000;
/** Values of enum llama_load_mode. */
const LOAD_MODE = { read: 0, mmap: 1 } as const;

/**
 * Loads artefactDir/model.gguf, on a device with all its layers. `loadNs` is the model alone: the library is loaded before, and contexts are
 * made per shape by the decoder.
 * @throws EngineError `unavailable` without a usable library, `unsupported` where the device cannot take every layer, `failed` for a bad option
 * or file, `oom` when the weights do not fit.
 */
export async function load(request: LoadRequest): Promise<{ decoder: LlamaCppDecoder; loaded: Loaded }> {
  const { device } = request;
  const options = parseOptions(request.options);
  const location = device === 'cpu' ? locateLibrary(options) : locateGpuLibrary(device, options);
  if ('missing' in location) {
    throw new EngineError('unavailable', `${location.missing.reason}: ${location.missing.mend}`);
  }
  const file = path.join(request.artefactDir, 'model.gguf');
  if (!existsSync(file)) throw new EngineError('failed', 'the prepared artefact has no model.gguf');

  const library = await openLibrary(location.found);
  const { weights, slidingWindow } = readGgufFile(library, file);
  const gpu = device === 'cpu' ? null : openGpu(library, device);
  const { value, lines } = library.log.capture(() => {
    const start = process.hrtime.bigint();
    const model = loadModel(library, file, options, gpu);
    return { model, loadNs: Number(process.hrtime.bigint() - start) };
  });
  const { model, loadNs } = value;
  const vocabSize = library.api.llama_vocab_n_tokens(library.api.llama_model_get_vocab(model));
  let pool: ThreadPool;
  let deviceFacts: Effective = {};
  try {
    if (gpu !== null) deviceFacts = await gpuFacts(gpu, request, lines);
    if (vocabSize < 1) throw new EngineError('failed', 'model.gguf names no vocabulary size');
    pool = new ThreadPool(library, request.threads, options.poll);
  } catch (error) {
    library.api.llama_model_free(model);
    throw error;
  }
  const kvType = kvTypeFor(request.precision, options.kvCacheType);
  const { threads } = request;
  const keptWindow = library.api.llama_model_n_swa(model);
  const ignoredWindow = keptWindow === 0 ? slidingWindow : null;
  const decoder = new LlamaCppDecoder({
    library,
    model,
    pool,
    vocabSize,
    threads,
    kvType,
    options,
    ignoredWindow,
    gpu,
    weightsMiB: gpu === null ? 0 : deviceMiB(bufferSizesMiB(lines, 'model'), gpu),
  });
  const systemInfo = library.api.llama_print_system_info().trim();
  const openMp = /\bOPENMP = 1\b/.test(systemInfo);
  const effective: Effective = {
    ...weights,
    slidingWindow: keptWindow === 0 ? 'none' : keptWindow,
    kvCacheType: kvType,
    kvLocation: 'host',
    logitsScope: 'last position',
    threads,
    // Such a build takes the number of threads from the pool and leaves the rest to OpenMP.
    threadPool: openMp ? 'OpenMP' : true,
    poll: openMp ? null : options.poll,
    mmap: options.useMmap,
    repackedWeightsMiB: bufferSizesMiB(lines, 'model').get('CPU_REPACK') ?? 0,
    systemInfo,
    ...buildFacts(library, request),
    ...deviceFacts,
  };
  return { decoder, loaded: { loadNs, vocabSize, versions: versionsOf(library, location.found), effective } };
}

/** A null-terminated list of the one device. */
function deviceList(gpu: Gpu): BigUint64Array {
  const list = new BigUint64Array(new ArrayBuffer(16));
  list[0] = gpu.pointer;
  return list;
}

function loadModel(library: Library, file: string, options: LlamaCppOptions, gpu: Gpu | null): Pointer {
  const devices = gpu === null ? NO_DEVICES : deviceList(gpu);
  const params = library.api.llama_model_default_params();
  const image = new Uint8Array(params.words.buffer, params.words.byteOffset, params.words.byteLength);
  writeField(image, MODEL_PARAMS.devices, library.addressOf(devices));
  writeField(image, MODEL_PARAMS.nGpuLayers, gpu === null ? 0 : ALL_LAYERS);
  writeField(image, MODEL_PARAMS.loadMode, options.useMmap ? LOAD_MODE.mmap : LOAD_MODE.read);
  library.log.takeErrors();
  const model = library.api.llama_model_load_from_file(file, params);
  if (model === null) throw engineErrorFromLog(library, `llama.cpp could not load ${path.basename(file)}`);
  return model;
}

async function gpuFacts(gpu: Gpu, { device }: LoadRequest, lines: readonly string[]): Promise<Effective> {
  const layers = offloadedLayers(lines);
  const found = device === 'cpu' ? null : await firstDevice(device);
  return {
    provider: gpu.name,
    layersOnDevice: layers,
    kvLocation: `device (${gpu.name})`,
    // The types that the CPU backend would multiply in are not the device's, which chooses by shape.
    computeTypes: `chosen by the ${gpu.name} backend`,
    modelMiBOnDevice: deviceMiB(bufferSizesMiB(lines, 'model'), gpu),
    synchronisation: 'llama_get_logits, inside each timed phase',
    ...(found && 'device' in found ? deviceEffective(found.device) : {}),
    deviceName: gpu.description,
  };
}

/** The measured factor is of this prebuilt library against a build with GCC 12 or newer, on prompts. */
const SLOW_FLOAT_BUILD =
  'built by a compiler before GCC 12, whose float kernels reach 0.45 to 0.7 of a native build on prompts; ' +
  `make one: ${NATIVE_COMMAND}`;

function buildFacts(library: Library, request: LoadRequest): Effective {
  const compiler = libraryCompiler(library.files, library.cpuLibrary);
  const slow = request.device === 'cpu' && request.precision !== 'int4' && hasSlowFloatKernels(compiler);
  return {
    backendLibrary: path.basename(library.cpuLibrary),
    build: `${library.files.description}, ${compiler ?? 'compiler unknown'}`,
    ...(slow ? { slowBuild: SLOW_FLOAT_BUILD } : {}),
  };
}

function versionsOf(library: Library, files: LibraryFiles): Record<string, string> {
  const { api } = library;
  return {
    ...files.versions,
    'llama.cpp': `${api.llama_version()} (commit ${api.ggml_commit()})`,
    ggml: api.ggml_version(),
  };
}
