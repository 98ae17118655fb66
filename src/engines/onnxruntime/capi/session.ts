import { EngineError } from '../../../errors.ts';
import type { ProviderFacts } from '../providers.ts';
import type { OrtLibrary } from './library.ts';
import { appendProvider } from './providers.ts';
import {
  ELEMENT_TYPES,
  type ElementType,
  GRAPH_OPTIMIZATION_LEVELS,
  type GraphOptimizationLevel,
} from './table.ts';

export interface SessionSettings {
  readonly intraOpThreads: number;
  readonly interOpThreads: number;
  readonly graphOptimizationLevel: GraphOptimizationLevel;
  /** onnxruntime_session_options_config_keys.h, e.g. session.intra_op.allow_spinning. */
  readonly config: Readonly<Record<string, string>>;
  /** Put before the CPU's; null for the CPU alone. */
  readonly provider: { facts: ProviderFacts; options: Readonly<Record<string, string>> } | null;
  /** Beginning of the name of a file for a profile, until `endProfiling`; null for none. */
  readonly profilePrefix?: string | null;
}

/** An input or output of the model. */
export interface TensorInfo {
  readonly name: string;
  readonly elementType: ElementType;
  /** −1 where the model gives a name, or nothing, in place of a number. */
  readonly dimensions: readonly number[];
}

/** Execution provider → operator type → number of nodes. */
export type Placement = ReadonlyMap<string, ReadonlyMap<string, number>>;

export interface OrtSession {
  readonly handle: bigint;
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  /** null where the library is too old to tell. */
  readonly placement: Placement | null;
  /** Writes the profile; later runs leave no trace in it and take no time for it. */
  endProfiling(): void;
  /** The caller releases bindings of the session first. */
  release(): void;
}

/** Loads a model. Blocks. Throws EngineError for a missing or malformed model or a setting that is refused. */
export function createSession(library: OrtLibrary, modelPath: string, settings: SessionSettings): OrtSession {
  const { calls } = library;
  const options = library.output('creating session options', (out) => calls.CreateSessionOptions(out));
  let handle: bigint;
  try {
    applySettings(library, options, settings);
    handle = library.output(`loading ${modelPath}`, (out) =>
      calls.CreateSession(library.env, modelPath, options, out),
    );
  } finally {
    calls.ReleaseSessionOptions(options);
  }
  try {
    return {
      handle,
      inputs: describeAll(library, handle, 'Input'),
      outputs: describeAll(library, handle, 'Output'),
      placement: readPlacement(library, handle),
      endProfiling: () => {
        ownText(library, 'ending the profile', (out) =>
          calls.SessionEndProfiling(handle, library.allocator, out),
        );
      },
      release: () => calls.ReleaseSession(handle),
    };
  } catch (error) {
    calls.ReleaseSession(handle);
    throw error;
  }
}

function applySettings(library: OrtLibrary, options: bigint, settings: SessionSettings): void {
  const { calls, check } = library;
  const level = GRAPH_OPTIMIZATION_LEVELS[settings.graphOptimizationLevel];
  check(calls.SetSessionGraphOptimizationLevel(options, level), 'setting the graph optimization level');
  check(calls.SetIntraOpNumThreads(options, settings.intraOpThreads), 'setting the intra-op threads');
  check(calls.SetInterOpNumThreads(options, settings.interOpThreads), 'setting the inter-op threads');
  const config = {
    ...(library.placement && { 'session.record_ep_graph_assignment_info': '1' }),
    ...settings.config,
  };
  for (const [key, value] of Object.entries(config)) {
    check(calls.AddSessionConfigEntry(options, key, value), `setting ${key} to ${value}`);
  }
  if (settings.profilePrefix) {
    check(calls.EnableProfiling(options, settings.profilePrefix), 'asking for a profile');
  }
  if (settings.provider) {
    appendProvider(library, options, settings.provider.facts, settings.provider.options);
  }
}

function describeAll(library: OrtLibrary, session: bigint, kind: 'Input' | 'Output'): TensorInfo[] {
  const { calls } = library;
  const doing = `reading the model's ${kind.toLowerCase()}s`;
  const count = Number(library.output(doing, (out) => calls[`SessionGet${kind}Count`](session, out)));
  return Array.from({ length: count }, (_, i) => {
    const name = ownText(library, doing, (out) =>
      calls[`SessionGet${kind}Name`](session, i, library.allocator, out),
    );
    const info = library.output(doing, (out) => calls[`SessionGet${kind}TypeInfo`](session, i, out));
    try {
      return { name, ...describeTensor(library, info, name) };
    } finally {
      calls.ReleaseTypeInfo(info);
    }
  });
}

/** Text that a call allocates for its caller. */
function ownText(library: OrtLibrary, doing: string, call: (out: BigUint64Array) => bigint | null): string {
  const pointer = library.output(doing, call);
  const text = library.text(pointer);
  library.check(library.calls.AllocatorFree(library.allocator, pointer), doing);
  return text;
}

function describeTensor(library: OrtLibrary, info: bigint, name: string): Omit<TensorInfo, 'name'> {
  const { calls } = library;
  const doing = `reading the type of ${name}`;
  // Owned by `info`; null when it is no tensor.
  const tensor = library.output(doing, (out) => calls.CastTypeInfoToTensorInfo(info, out));
  if (tensor === 0n) throw new EngineError('unsupported', `${name} is not a tensor`);
  // The call writes 32 of the 64 bits, and every platform ONNX Runtime is built for is little-endian.
  const code = Number(library.output(doing, (out) => calls.GetTensorElementType(tensor, out)));
  const elementType = (Object.keys(ELEMENT_TYPES) as ElementType[]).find((t) => ELEMENT_TYPES[t] === code);
  if (!elementType) {
    throw new EngineError(
      'unsupported',
      `${name} has the ONNX element type ${code}, which no decoder here uses`,
    );
  }
  const rank = Number(library.output(doing, (out) => calls.GetDimensionsCount(tensor, out)));
  const dims = new BigInt64Array(new ArrayBuffer(rank * 8));
  if (rank > 0) library.check(calls.GetDimensions(tensor, dims, rank), doing);
  return { elementType, dimensions: Array.from(dims, Number) };
}

function readPlacement(library: OrtLibrary, session: bigint): Placement | null {
  const { placement, output } = library;
  if (!placement) return null;
  const doing = 'reading the placement of nodes';
  const listOf = (call: (list: BigUint64Array, count: BigUint64Array) => bigint | null): bigint[] => {
    const count = new BigUint64Array(new ArrayBuffer(8));
    const list = output(doing, (out) => call(out, count));
    return library.pointers(list, Number(count[0]));
  };
  const providers = new Map<string, Map<string, number>>();
  for (const subgraph of listOf((l, n) => placement.Session_GetEpGraphAssignmentInfo(session, l, n))) {
    const provider = library.text(
      output(doing, (out) => placement.EpAssignedSubgraph_GetEpName(subgraph, out)),
    );
    const operators = providers.get(provider) ?? new Map<string, number>();
    providers.set(provider, operators);
    for (const node of listOf((l, n) => placement.EpAssignedSubgraph_GetNodes(subgraph, l, n))) {
      const type = library.text(output(doing, (out) => placement.EpAssignedNode_GetOperatorType(node, out)));
      operators.set(type, (operators.get(type) ?? 0) + 1);
    }
  }
  return providers;
}
