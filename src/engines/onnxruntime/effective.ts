import type { Effective, LoadRequest } from '../../schema/protocol.ts';
import type { DeviceMemory } from './capi/device.ts';
import type { OrtLibrary } from './capi/library.ts';
import type { OrtSession, Placement } from './capi/session.ts';
import type { DecoderGraph, LogitsScope } from './graph.ts';
import type { MatMulNBits, ModelFile } from './modelfile.ts';
import type { OrtOptions } from './options.ts';
import { type OrtDevice, PROVIDERS } from './providers.ts';

const LOGITS_SCOPE: Readonly<Record<LogitsScope, string>> = {
  index: 'last position (logits_index)',
  last: 'last position (pruned head)',
  all: 'all positions',
};
const ACTIVATIONS: readonly string[] = ['float32', 'float32', 'float16', 'bfloat16', 'int8'];

/** How a session really runs, for its records. */
export function describeSession(of: {
  request: LoadRequest;
  options: OrtOptions;
  library: OrtLibrary;
  session: OrtSession;
  model: ModelFile;
  graph: DecoderGraph;
  /** null for the host. */
  memory: DeviceMemory | null;
}): Effective {
  const { model, options, graph, memory } = of;
  return {
    ...placement(of.session.placement),
    library: libraryOrigin(options),
    build: of.library.build,
    intraOpThreads: of.request.threads,
    interOpThreads: options.interOpThreads,
    spinning: options.allowSpinning,
    graphOptimizationLevel: options.graphOptimizationLevel,
    sessionConfig: JSON.stringify(options.sessionConfig),
    ...describeModel(model, graph, operatorsRun(of.session.placement)),
    kvCache: 'shared past/present buffer',
    ...(memory && deviceFacts(of.request, options, graph, memory)),
  };
}

function libraryOrigin({ libraryPath, libraryDir }: OrtOptions): string {
  if (libraryPath !== undefined) return 'libraryPath';
  return libraryDir === undefined ? 'onnxruntime-node' : 'libraryDir';
}

/** What differs from a session on the host. A device computes in the type of its activations, which the cache has too. */
function deviceFacts(
  { device }: LoadRequest,
  { providerOptions }: OrtOptions,
  { cache }: DecoderGraph,
  memory: DeviceMemory,
): Effective {
  const { options } = PROVIDERS[device as OrtDevice];
  return {
    kvLocation: `device (${memory.name})`,
    computeType: [...new Set(cache.map(({ elementType }) => elementType))].join(', '),
    providerOptions: JSON.stringify({ ...options, ...providerOptions }),
    synchronisation: 'bound outputs, inside each timed phase',
  };
}

/**
 * What the model itself decides.
 * @param operatorsRun operator type → nodes that really run; null where the library does not tell: then those of the file
 */
export function describeModel(
  model: ModelFile,
  graph: DecoderGraph,
  operatorsRun: readonly (readonly [string, number])[] | null,
): Effective {
  const operators = operatorsRun ?? [...model.operators];
  const attention = operators.filter(([type]) => type.endsWith('Attention'));
  const matmuls = operators.filter(([type]) => /^(MatMul|Gemm|FusedMatMul)/.test(type));
  return {
    attention: counts(attention),
    matmul: counts(matmuls),
    computeType: computeType(model.quantization),
    quantization: model.quantization.length === 0 ? null : model.quantization.map(quantization).join('; '),
    kvType: [...new Set(graph.cache.map((slot) => slot.elementType))].join(', '),
    kvLocation: 'host',
    logitsScope: LOGITS_SCOPE[graph.logits.scope],
    logitsType: graph.logits.elementType,
    logitsLocation: 'host',
  };
}

function placement(nodes: Placement | null): Effective {
  if (!nodes) return { provider: 'CPUExecutionProvider', nodesPlaced: null };
  const perProvider = [...nodes].map(([provider, operators]): [string, number] => [
    provider,
    [...operators.values()].reduce((sum, n) => sum + n, 0),
  ]);
  const elsewhere = perProvider.filter(([provider]) => provider !== 'CPUExecutionProvider');
  return {
    provider: perProvider.map(([provider]) => provider).join(', '),
    nodesPlaced: counts(perProvider),
    ...(elsewhere.length > 0 ? { fallback: `${counts(elsewhere)} for a cell of the CPU` } : {}),
  };
}

/** Operator type → nodes over all providers; null where the library does not tell. */
function operatorsRun(nodes: Placement | null): [string, number][] | null {
  if (!nodes) return null;
  const total = new Map<string, number>();
  for (const [type, n] of [...nodes.values()].flatMap((operators) => [...operators])) {
    total.set(type, (total.get(type) ?? 0) + n);
  }
  return [...total];
}

/** Of the weight matrices. The CPU provider computes in float32 unless MatMulNBits is allowed to use int8. */
function computeType(quantization: readonly MatMulNBits[]): string {
  if (quantization.length === 0) return 'float32';
  return [...new Set(quantization.map((q) => `${ACTIVATIONS[q.accuracyLevel] ?? '?'} × int${q.bits}`))].join(
    ', ',
  );
}

function quantization(q: MatMulNBits): string {
  return `MatMulNBits int${q.bits}, block ${q.blockSize}, accuracy level ${q.accuracyLevel}`;
}

function counts(entries: readonly (readonly [string, number])[]): string {
  return entries.map(([name, n]) => `${name} ×${n}`).join(', ');
}
