import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { EngineError } from '../../errors.ts';
import type { Effective, Loaded, LoadRequest } from '../../schema/protocol.ts';
import type { Decoder } from '../engine.ts';
import { type OrtLibrary, openLibrary } from './capi/library.ts';
import { packagedLibrary } from './capi/location.ts';
import { createSession } from './capi/session.ts';
import { OrtDecoder } from './decoder.ts';
import { describeSession } from './effective.ts';
import { checkExternalData } from './externaldata.ts';
import { readGraph } from './graph.ts';
import { type ModelFile, readModelFile } from './modelfile.ts';
import { type OrtOptions, ortOptionsSchema } from './options.ts';

const MODEL_FILE = 'model.onnx';
const ATTENTION = 'GroupQueryAttention';

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
  if (request.device !== 'cpu') {
    throw new EngineError('unsupported', `ONNX Runtime is driven on the CPU only, not on ${request.device}`);
  }
  const modelPath = join(request.artefactDir, MODEL_FILE);
  if (!existsSync(modelPath))
    throw new EngineError('failed', `there is no ${MODEL_FILE} in ${request.artefactDir}`);
  const model = readModelFile(modelPath);
  checkExternalData(request.artefactDir, model.externalData);
  requireSharedCache(model);
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
    const effective: Effective = describeSession({ request, options, library, session, model, graph });
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

/** Other attention operators copy past to present on every step, and with a shared buffer would compute nonsense. */
function requireSharedCache(model: ModelFile): void {
  if (model.operators.has(ATTENTION)) return;
  throw new EngineError(
    'unsupported',
    `this ONNX model has no ${ATTENTION} node, the attention that appends to its KV cache in place; ` +
      "make it with onnxruntime-genai's model builder",
  );
}
