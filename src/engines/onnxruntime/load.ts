import { z } from 'zod';
import { EngineError } from '../../errors.ts';
import type { Effective, Loaded, LoadRequest } from '../../schema/protocol.ts';
import { deviceEffective, firstDevice } from '../device-check.ts';
import type { Decoder } from '../engine.ts';
import { artefactFacts } from './artefact-facts.ts';
import { type DeviceMemory, openDeviceMemory } from './capi/device.ts';
import { type OrtLibrary, openLibrary } from './capi/library.ts';
import { locateLibrary } from './capi/location.ts';
import { createSession } from './capi/session.ts';
import { OrtDecoder } from './decoder.ts';
import { describeSession } from './effective.ts';
import { refuseFallback } from './fallback.ts';
import { readGraph } from './graph.ts';
import { openModelFolder } from './modelfolder.ts';
import { type OrtOptions, ortOptionsSchema } from './options.ts';
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
  const { path: modelPath, model } = openModelFolder(request);
  const { library, versions } = await openFor(options);
  const device = request.device === 'cpu' ? null : PROVIDERS[request.device];
  const facts = request.device === 'cpu' ? {} : await deviceFacts(request.device);
  const began = process.hrtime.bigint();
  const session = createSession(library, modelPath, {
    intraOpThreads: request.threads,
    interOpThreads: options.interOpThreads,
    graphOptimizationLevel: options.graphOptimizationLevel,
    config: {
      'session.intra_op.allow_spinning': options.allowSpinning ? '1' : '0',
      'session.inter_op.allow_spinning': options.allowSpinning ? '1' : '0',
      ...options.sessionConfig,
    },
    provider: device && { facts: device, options: options.providerOptions },
  });
  const loadNs = Number(process.hrtime.bigint() - began);
  let memory: DeviceMemory | null = null;
  try {
    if (device) {
      refuseFallback(session.placement, device.provider);
      memory = openDeviceMemory(library, session, device.memory);
    }
    const graph = readGraph(request.artefactDir, session.inputs, session.outputs);
    const effective: Effective = {
      ...describeSession({ request, options, library, session, model, graph, memory }),
      ...artefactFacts(request.artefactDir),
      ...facts,
    };
    return {
      decoder: new OrtDecoder(library, session, graph, memory),
      loaded: { loadNs, vocabSize: graph.vocabSize, versions, effective },
    };
  } catch (error) {
    memory?.release();
    session.release();
    throw error;
  }
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
