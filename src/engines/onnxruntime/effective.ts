import type { Effective, LoadRequest } from '../../schema/protocol.ts';
import type { Precision } from '../../schema/vocabulary.ts';
import type { DeviceMemory } from './capi/device.ts';
import type { OrtLibrary } from './capi/library.ts';
import type { OrtSession, Placement } from './capi/session.ts';
import type { DecoderGraph, LogitsScope } from './graph.ts';
import type { MatMulNBits, ModelFile } from './modelfile.ts';
import type { OrtOptions } from './options.ts';
import type { NodesRun } from './profile.ts';
import { type OrtDevice, PROVIDERS } from './providers.ts';
import type { ActivationsSeen } from './quantized-kernel.ts';
import { TELEMETRY } from './telemetry.ts';

const LOGITS_SCOPE: Readonly<Record<LogitsScope, string>> = {
  index: 'last position (logits_index)',
  last: 'last position (pruned head)',
  all: 'all positions',
};
const MATRIX_PRODUCT = /^(MatMul|Gemm|FusedMatMul)/;
const ELEMENT_TYPE: Readonly<Record<Precision, string | null>> = {
  fp32: 'float32',
  fp16: 'float16',
  bf16: 'bfloat16',
  int4: null,
};

/** What was seen of a session before anything was timed. */
export interface Seen {
  /** In one forward. */
  readonly nodesRun: readonly NodesRun[];
  /** Of each setting of the model's MatMulNBits nodes, in their order; null for one whose kernel was not looked at. */
  readonly activations: readonly (ActivationsSeen | null)[];
}

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
  /** null on a device, where nothing was profiled. */
  seen: Seen | null;
}): Effective {
  const { model, options, graph, memory, seen } = of;
  const { placement } = of.session;
  return {
    ...placed(placement),
    ...(seen && ran(seen.nodesRun)),
    library: libraryOrigin(options),
    build: of.library.build,
    telemetry: TELEMETRY,
    intraOpThreads: of.request.threads,
    interOpThreads: options.interOpThreads,
    spinning: options.allowSpinning,
    graphOptimizationLevel: options.graphOptimizationLevel,
    sessionConfig: JSON.stringify(options.sessionConfig),
    ...describeModel(of.request, model, graph, seen, placement),
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
 * What the model's graph became. Operators are those of one forward with the types that they ran in; where none was
 * profiled those that were placed, and where the library does not tell these either, those of the file.
 */
export function describeModel(
  { precision }: Pick<LoadRequest, 'precision'>,
  model: ModelFile,
  graph: DecoderGraph,
  seen: Seen | null,
  placement: Placement | null,
): Effective {
  const nodesRun = seen?.nodesRun ?? null;
  const operators = nodesRun?.map(({ operator, type, count }) => [`${operator} ${type}`, count] as const) ??
    operatorsPlaced(placement) ?? [...model.operators];
  return {
    attention: counts(operators.filter(([name]) => /Attention\b/.test(name))),
    matmul: counts(operators.filter(([name]) => MATRIX_PRODUCT.test(name))),
    computeType: seen && computeType(model.quantization, seen),
    ...(nodesRun && upcast(precision, nodesRun)),
    quantization: model.quantization.length === 0 ? null : model.quantization.map(quantization).join('; '),
    kvType: [...new Set(graph.cache.map((slot) => slot.elementType))].join(', '),
    kvLocation: 'host',
    logitsScope: LOGITS_SCOPE[graph.logits.scope],
    logitsType: graph.logits.elementType,
    logitsLocation: 'host',
  };
}

/** Where ONNX Runtime put the nodes of the graph, as it says itself. */
function placed(nodes: Placement | null): Effective {
  if (!nodes) return { provider: 'not told by this version of ONNX Runtime', nodesPlaced: null };
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

/** Whose kernels one forward ran. */
export function ran(nodes: readonly NodesRun[]): Effective {
  const kernels = new Map<string, number>();
  for (const { provider, count } of nodes) kernels.set(provider, (kernels.get(provider) ?? 0) + count);
  return { provider: [...kernels.keys()].join(', '), nodesRun: counts([...kernels]) };
}

/** Operator type → nodes over all providers; null where the library does not tell. */
function operatorsPlaced(nodes: Placement | null): [string, number][] | null {
  if (!nodes) return null;
  const total = new Map<string, number>();
  for (const [type, n] of [...nodes.values()].flatMap((operators) => [...operators])) {
    total.set(type, (total.get(type) ?? 0) + n);
  }
  return [...total];
}

/** What the products with weight matrices are computed in, as it was seen. */
function computeType(quantization: readonly MatMulNBits[], { nodesRun, activations }: Seen): string {
  const floats = productTypes(nodesRun.filter(({ operator }) => operator !== 'MatMulNBits'));
  const quantized = quantization.map(({ bits }, i) => `${activations[i] ?? 'not looked at'} × int${bits}`);
  return [...new Set([...quantized, ...floats])].join(', ');
}

const productTypes = (nodesRun: readonly NodesRun[]): string[] => [
  ...new Set(nodesRun.filter(({ operator }) => MATRIX_PRODUCT.test(operator)).map(({ type }) => type)),
];

/** What was computed in another type than the precision names, in words; nothing where all is as it says. */
function upcast(precision: Precision, nodesRun: readonly NodesRun[]): Effective {
  const own = ELEMENT_TYPE[precision];
  if (own === null || productTypes(nodesRun).every((type) => type === own)) return {};
  const others = nodesRun.filter(({ operator, type }) => MATRIX_PRODUCT.test(operator) && type !== own);
  const casts = nodesRun.filter(({ operator, type }) => operator === 'Cast' && /^(b?float)/.test(type));
  const sum = (nodes: readonly NodesRun[]) => nodes.reduce((total, { count }) => total + count, 0);
  return {
    upcast: `${precision} weights multiplied in ${productTypes(others).join(', ')} (${sum(others)} of the products), with ${sum(casts)} casts to and fro`,
    matrixType: productTypes(others).join(', '),
  };
}

function quantization(q: MatMulNBits): string {
  return `MatMulNBits int${q.bits}, block ${q.blockSize}, accuracy level ${q.accuracyLevel}`;
}

function counts(entries: readonly (readonly [string, number])[]): string {
  return entries.map(([name, n]) => `${name} ×${n}`).join(', ');
}
