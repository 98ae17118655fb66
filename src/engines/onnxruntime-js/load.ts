import type { InferenceSession } from 'onnxruntime-node';
import { z } from 'zod';
import { EngineError } from '../../errors.ts';
import type { Effective, LoadRequest } from '../../schema/protocol.ts';
import type { EngineSession } from '../engine.ts';
import { NativeSession } from '../native/session.ts';
import { artefactFacts } from '../onnxruntime/artefact-facts.ts';
import type { TensorInfo } from '../onnxruntime/capi/session.ts';
import type { ElementType } from '../onnxruntime/capi/table.ts';
import { describeModel, ran } from '../onnxruntime/effective.ts';
import { readGraph } from '../onnxruntime/graph.ts';
import { openModelFolder } from '../onnxruntime/modelfolder.ts';
import { type NodesRun, PROFILED_PROMPT, ProfileFolder } from '../onnxruntime/profile.ts';
import type { ActivationsSeen } from '../onnxruntime/quantized-kernel.ts';
import { TELEMETRY } from '../onnxruntime/telemetry.ts';
import { asEngineError, importOnnxRuntimeNode, type Ort } from './binding.ts';
import { OrtJsDecoder } from './decoder.ts';
import { type OrtJsOptions, ortJsOptionsSchema } from './options.ts';
import { probeKernel } from './quantized-kernel.ts';

const KV_CACHE: Readonly<Record<OrtJsOptions['outputs'], string>> = {
  preallocated: 'one buffer as past and present, copied whole into the outputs that run returns',
  returned: 'past fed from the returned present, one token longer each step',
};

/** Loads artefactDir/model.onnx. `loadNs` is the creation of the session alone: reading, optimising, prepacking. */
export async function load(request: LoadRequest): Promise<EngineSession> {
  const options = parseOptions(request.options);
  if (request.device !== 'cpu') {
    throw new EngineError(
      'unsupported',
      `onnxruntime-node is driven on the CPU only, not on ${request.device}`,
    );
  }
  const { path, model } = openModelFolder(request);
  const ort = await importOnnxRuntimeNode();
  const profile = new ProfileFolder();
  let session: InferenceSession | null = null;
  try {
    const settings = sessionSettings(options, request.threads, profile);
    const began = process.hrtime.bigint();
    session = await createSession(ort, path, settings);
    const loadNs = Number(process.hrtime.bigint() - began);
    const graph = readGraph(
      request.artefactDir,
      describe(session.inputMetadata),
      describe(session.outputMetadata),
    );
    const decoder = new OrtJsDecoder(ort, session, graph, options.outputs);
    const nodesRun = await profiledForward(decoder, session, profile);
    const activations: (ActivationsSeen | null)[] = [];
    for (const settingsOf of model.quantization)
      activations.push(await probeKernel(ort, settingsOf, settings));
    const effective: Effective = {
      api: 'onnxruntime-node InferenceSession.run',
      outputs: options.outputs,
      kvCache: KV_CACHE[options.outputs],
      ...ran(nodesRun),
      nodesPlaced: null,
      library: 'onnxruntime-node',
      telemetry: TELEMETRY,
      intraOpThreads: request.threads,
      interOpThreads: options.interOpThreads,
      spinning: options.allowSpinning,
      graphOptimizationLevel: options.graphOptimizationLevel,
      executionMode: settings.executionMode,
      cpuMemoryArena: settings.enableCpuMemArena,
      memoryPattern: settings.enableMemPattern,
      sessionConfig: JSON.stringify(options.sessionConfig),
      ...describeModel(request, model, graph, { nodesRun, activations }, null),
      ...artefactFacts(request.artefactDir),
    };
    const { node, common } = ort.env.versions;
    const versions = {
      'onnxruntime-node': node ?? 'unknown',
      'onnxruntime-common': common,
    };
    return new NativeSession({
      decoder,
      loaded: { loadNs, vocabSize: graph.vocabSize, versions, effective },
    });
  } catch (error) {
    await session?.release();
    throw error;
  } finally {
    profile.remove();
  }
}

/** One prompt through the session before anything is timed: the profile ends with it. */
async function profiledForward(
  decoder: OrtJsDecoder,
  session: InferenceSession,
  profile: ProfileFolder,
): Promise<NodesRun[]> {
  decoder.begin([Int32Array.from(PROFILED_PROMPT)], PROFILED_PROMPT.length);
  await decoder.prefill();
  decoder.end();
  session.endProfiling();
  return profile.read();
}

function parseOptions(options: Record<string, unknown>): OrtJsOptions {
  const parsed = ortJsOptionsSchema.safeParse(options);
  if (parsed.success) return parsed.data;
  throw new EngineError('failed', `options of the engine onnxruntime-js: ${z.prettifyError(parsed.error)}`);
}

/** Everything that the package lets an application set and that bears on speed, its own defaults included. */
function sessionSettings(options: OrtJsOptions, threads: number, profile: ProfileFolder) {
  const spinning = options.allowSpinning ? '1' : '0';
  return {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: options.interOpThreads,
    graphOptimizationLevel: options.graphOptimizationLevel,
    executionMode: 'sequential',
    enableCpuMemArena: true,
    enableMemPattern: true,
    enableProfiling: true,
    profileFilePrefix: profile.prefix,
    extra: {
      'session.intra_op.allow_spinning': spinning,
      'session.inter_op.allow_spinning': spinning,
      ...options.sessionConfig,
    },
  } as const satisfies InferenceSession.SessionOptions;
}

async function createSession(
  ort: Ort,
  path: string,
  settings: InferenceSession.SessionOptions,
): Promise<InferenceSession> {
  try {
    return await ort.InferenceSession.create(path, settings);
  } catch (error) {
    throw asEngineError(error, `loading ${path}`);
  }
}

/** The package's description in the form that the graph is read from; it names a dimension that is open. */
function describe(metadata: readonly InferenceSession.ValueMetadata[]): TensorInfo[] {
  return metadata
    .filter((value) => value.isTensor)
    .map(({ name, type, shape }) => ({
      name,
      // Of others than those the graph's reader refuses what it needs.
      elementType: type as ElementType,
      dimensions: shape.map((dimension) => (typeof dimension === 'number' ? dimension : -1)),
    }));
}
