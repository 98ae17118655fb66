import { z } from 'zod';
import { EngineError } from '../../errors.ts';
import type { Effective, Loaded, LoadRequest } from '../../schema/protocol.ts';
import type { Decoder } from '../engine.ts';
import { artefactFacts } from './artefact-facts.ts';
import { type OrtLibrary, openLibrary } from './capi/library.ts';
import { packagedLibrary } from './capi/location.ts';
import { createSession } from './capi/session.ts';
import { OrtDecoder } from './decoder.ts';
import { describeSession } from './effective.ts';
import { readGraph } from './graph.ts';
import { openModelFolder } from './modelfolder.ts';
import { type OrtOptions, ortOptionsSchema } from './options.ts';

/** Opens the library of the options, or the packaged one, with the versions that a record carries. */
export async function openFor(
  options: OrtOptions,
): Promise<{ library: OrtLibrary; versions: Record<string, string> }> {
  const packaged = options.libraryPath === undefined ? packagedLibrary() : null;
  const library = await openLibrary(options.libraryPath ?? packaged!.path);
  return {
    library,
    versions: {
      onnxruntime: library.version,
      koffi: library.koffiVersion,
      ...(packaged && { 'onnxruntime-node': packaged.packageVersion }),
    },
  };
}

/** Loads artefactDir/model.onnx. `loadNs` is the creation of the session alone: reading, optimising, prepacking. */
export async function load(request: LoadRequest): Promise<{ decoder: Decoder; loaded: Loaded }> {
  const options = parseOptions(request.options);
  const { path: modelPath, model } = openModelFolder(request);
  const { library, versions } = await openFor(options);
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
  });
  const loadNs = Number(process.hrtime.bigint() - began);
  try {
    const graph = readGraph(request.artefactDir, session.inputs, session.outputs);
    const effective: Effective = {
      ...describeSession({ request, options, library, session, model, graph }),
      ...artefactFacts(request.artefactDir),
    };
    return {
      decoder: new OrtDecoder(library, session, graph),
      loaded: { loadNs, vocabSize: graph.vocabSize, versions, effective },
    };
  } catch (error) {
    session.release();
    throw error;
  }
}

function parseOptions(options: Record<string, unknown>): OrtOptions {
  const parsed = ortOptionsSchema.safeParse(options);
  if (!parsed.success) {
    throw new EngineError('failed', `options of the engine onnxruntime: ${z.prettifyError(parsed.error)}`);
  }
  return parsed.data;
}
