import { z } from 'zod';
import { EngineError } from '../../errors.ts';
import type { Effective, Loaded, LoadRequest } from '../../schema/protocol.ts';
import { deviceEffective, firstDevice } from '../device-check.ts';
import type { Decoder } from '../engine.ts';
import { artefactFacts } from './artefact-facts.ts';
import { type DeviceMemory, openDeviceMemory } from './capi/device.ts';
import { type OrtLibrary, openLibrary } from './capi/library.ts';
import { locateLibrary } from './capi/location.ts';
import { probeKernel } from './capi/quantized-kernel.ts';
import { createSession, type OrtSession, type SessionSettings } from './capi/session.ts';
import { OrtDecoder } from './decoder.ts';
import { describeSession } from './effective.ts';
import { refuseFallback } from './fallback.ts';
import { readGraph } from './graph.ts';
import { openModelFolder } from './modelfolder.ts';
import { type OrtOptions, ortOptionsSchema } from './options.ts';
import { FP16_ON_CPU } from './precisions.ts';
import { type NodesRun, PROFILED_PROMPT, ProfileFolder } from './profile.ts';
import { type OrtDevice, PROVIDERS } from './providers.ts';

/** Opens the library of the options, or the packaged one, with the versions that a record carries. */
export async function openFor(
  options: OrtOptions,
): Promise<{ library: OrtLibrary; versions: Record<string, string> }> {
  const { path, packageVersion } = locateLibrary(options);
  const library = await openLibrary(path);
  return {
    library,
    versions: {
      onnxruntime: library.version,
      koffi: library.koffiVersion,
      ...(packageVersion !== null && { 'onnxruntime-node': packageVersion }),
    },
  };
}

/** Loads artefactDir/model.onnx. `loadNs` is the creation of the session alone: reading, optimising, prepacking. */
export async function load(request: LoadRequest): Promise<{ decoder: Decoder; loaded: Loaded }> {
  const options = parseOptions(request.options);
  if (request.device === 'cpu' && request.precision === 'fp16' && options.fp16OnCpu === 'refuse') {
    throw new EngineError('unsupported', FP16_ON_CPU);
  }
  const { path: modelPath, model } = openModelFolder(request);
  const { library, versions } = await openFor(options);
  const device = request.device === 'cpu' ? null : PROVIDERS[request.device];
  const facts = request.device === 'cpu' ? {} : await deviceFacts(request.device);
  const profile = device ? null : new ProfileFolder();
  let session: OrtSession | null = null;
  let memory: DeviceMemory | null = null;
  let decoder: OrtDecoder | null = null;
  try {
    const settings = sessionSettings(request, options, profile);
    const began = process.hrtime.bigint();
    session = createSession(library, modelPath, settings);
    const loadNs = Number(process.hrtime.bigint() - began);
    if (device) {
      refuseFallback(session.placement, device.provider);
      memory = openDeviceMemory(library, session, device.memory);
    }
    const graph = readGraph(request.artefactDir, session.inputs, session.outputs);
    decoder = new OrtDecoder(library, session, graph, memory);
    const seen = profile && {
      nodesRun: profiledForward(decoder, session, profile),
      activations: model.quantization.map((settingsOf) => probeKernel(library, settingsOf, settings)),
    };
    const effective: Effective = {
      ...describeSession({ request, options, library, session, model, graph, memory, seen }),
      ...artefactFacts(request.artefactDir),
      ...facts,
    };
    return { decoder, loaded: { loadNs, vocabSize: graph.vocabSize, versions, effective } };
  } catch (error) {
    if (decoder) decoder.close();
    else {
      memory?.release();
      session?.release();
    }
    throw error;
  } finally {
    profile?.remove();
  }
}

function sessionSettings(
  { threads, device }: LoadRequest,
  options: OrtOptions,
  profile: ProfileFolder | null,
): SessionSettings {
  const spinning = options.allowSpinning ? '1' : '0';
  return {
    intraOpThreads: threads,
    interOpThreads: options.interOpThreads,
    graphOptimizationLevel: options.graphOptimizationLevel,
    config: {
      'session.intra_op.allow_spinning': spinning,
      'session.inter_op.allow_spinning': spinning,
      ...options.sessionConfig,
    },
    provider: device === 'cpu' ? null : { facts: PROVIDERS[device], options: options.providerOptions },
    profilePrefix: profile?.prefix ?? null,
  };
}

/** One prompt through the session before anything is timed: the profile ends with it. */
function profiledForward(decoder: OrtDecoder, session: OrtSession, profile: ProfileFolder): NodesRun[] {
  decoder.begin([Int32Array.from(PROFILED_PROMPT)], PROFILED_PROMPT.length);
  decoder.prefill();
  decoder.end();
  session.endProfiling();
  return profile.read();
}

/** Of the device that the provider takes, before the provider is asked for: its own errors say less. */
async function deviceFacts(device: OrtDevice): Promise<Effective> {
  const found = await firstDevice(device);
  if ('lack' in found) throw new EngineError('unavailable', found.lack.reason);
  return deviceEffective(found.device);
}

function parseOptions(options: Record<string, unknown>): OrtOptions {
  const parsed = ortOptionsSchema.safeParse(options);
  if (!parsed.success) {
    throw new EngineError('failed', `options of the engine onnxruntime: ${z.prettifyError(parsed.error)}`);
  }
  return parsed.data;
}
