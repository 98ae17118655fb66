/**
 * The functions of ONNX Runtime's C API that ortbench calls, by their position in `struct OrtApi`
 * (include/onnxruntime/core/session/onnxruntime_c_api.h). The struct is append-only: a position never changes, and a
 * library that grants `GetApi(n)` holds every function up to version n.
 */

/** Highest index below is 254 (1.15); 17 is the oldest release this was checked against. */
export const MINIMUM_API_VERSION = 17;
/** From this version on the node placement functions (407 to 412) are there. */
export const PLACEMENT_API_VERSION = 24;

/**
 * C types, with what JavaScript passes: `ptr` any pointer, `str` UTF-8, `path` ORTCHAR_T (UTF-16 on Windows), `size`
 * size_t. A function returns `status` (OrtStatus*, null on success), `int`, `str`, or nothing.
 */
export interface ArgumentTypes {
  ptr: bigint | ArrayBufferView | null;
  str: string;
  path: string;
  int: number;
  size: number;
}
export interface ResultTypes {
  status: bigint | null;
  int: number;
  str: string;
  void: undefined;
}
export type Signature = readonly [
  index: number,
  result: keyof ResultTypes,
  parameters: readonly (keyof ArgumentTypes)[],
];

export const FUNCTIONS = {
  GetErrorCode: [1, 'int', ['ptr']],
  GetErrorMessage: [2, 'str', ['ptr']],
  ReleaseStatus: [93, 'void', ['ptr']],
  GetBuildInfoString: [254, 'str', []],

  CreateEnv: [3, 'status', ['int', 'str', 'ptr']],
  CreateSessionOptions: [10, 'status', ['ptr']],
  EnableProfiling: [14, 'status', ['ptr', 'path']],
  SetSessionGraphOptimizationLevel: [23, 'status', ['ptr', 'int']],
  SetIntraOpNumThreads: [24, 'status', ['ptr', 'int']],
  SetInterOpNumThreads: [25, 'status', ['ptr', 'int']],
  AddSessionConfigEntry: [130, 'status', ['ptr', 'str', 'str']],
  ReleaseSessionOptions: [100, 'void', ['ptr']],

  CreateSession: [7, 'status', ['ptr', 'path', 'ptr', 'ptr']],
  SessionGetInputCount: [30, 'status', ['ptr', 'ptr']],
  SessionGetOutputCount: [31, 'status', ['ptr', 'ptr']],
  SessionGetInputTypeInfo: [33, 'status', ['ptr', 'size', 'ptr']],
  SessionGetOutputTypeInfo: [34, 'status', ['ptr', 'size', 'ptr']],
  SessionGetInputName: [36, 'status', ['ptr', 'size', 'ptr', 'ptr']],
  SessionGetOutputName: [37, 'status', ['ptr', 'size', 'ptr', 'ptr']],
  SessionEndProfiling: [110, 'status', ['ptr', 'ptr', 'ptr']],
  ReleaseSession: [95, 'void', ['ptr']],

  CastTypeInfoToTensorInfo: [55, 'status', ['ptr', 'ptr']],
  GetTensorElementType: [60, 'status', ['ptr', 'ptr']],
  GetDimensionsCount: [61, 'status', ['ptr', 'ptr']],
  GetDimensions: [62, 'status', ['ptr', 'ptr', 'size']],
  ReleaseTypeInfo: [98, 'void', ['ptr']],

  GetAllocatorWithDefaultOptions: [78, 'status', ['ptr']],
  AllocatorFree: [76, 'status', ['ptr', 'ptr']],
  CreateCpuMemoryInfo: [69, 'status', ['int', 'int', 'ptr']],
  CreateTensorAsOrtValue: [48, 'status', ['ptr', 'ptr', 'size', 'int', 'ptr']],
  CreateTensorWithDataAsOrtValue: [49, 'status', ['ptr', 'ptr', 'size', 'ptr', 'size', 'int', 'ptr']],
  GetTensorMutableData: [51, 'status', ['ptr', 'ptr']],
  ReleaseValue: [96, 'void', ['ptr']],

  CreateIoBinding: [134, 'status', ['ptr', 'ptr']],
  BindInput: [136, 'status', ['ptr', 'str', 'ptr']],
  BindOutput: [137, 'status', ['ptr', 'str', 'ptr']],
  RunWithBinding: [133, 'status', ['ptr', 'ptr', 'ptr']],
  ReleaseIoBinding: [135, 'void', ['ptr']],
  SynchronizeBoundOutputs: [203, 'status', ['ptr']],

  GetAvailableProviders: [125, 'status', ['ptr', 'ptr']],
  ReleaseAvailableProviders: [126, 'status', ['ptr', 'int']],
  SessionOptionsAppendExecutionProvider: [216, 'status', ['ptr', 'str', 'ptr', 'ptr', 'size']],
  SessionOptionsAppendExecutionProvider_CUDA_V2: [204, 'status', ['ptr', 'ptr']],
  CreateCUDAProviderOptions: [205, 'status', ['ptr']],
  UpdateCUDAProviderOptions: [206, 'status', ['ptr', 'ptr', 'ptr', 'size']],
  ReleaseCUDAProviderOptions: [208, 'void', ['ptr']],
  CreateMemoryInfo: [68, 'status', ['str', 'int', 'int', 'int', 'ptr']],
  ReleaseMemoryInfo: [94, 'void', ['ptr']],
  CreateAllocator: [131, 'status', ['ptr', 'ptr', 'ptr']],
  ReleaseAllocator: [132, 'void', ['ptr']],
} as const satisfies Record<string, Signature>;

/** Since 1.24: which execution provider got each node. */
export const PLACEMENT_FUNCTIONS = {
  Session_GetEpGraphAssignmentInfo: [407, 'status', ['ptr', 'ptr', 'ptr']],
  EpAssignedSubgraph_GetEpName: [408, 'status', ['ptr', 'ptr']],
  EpAssignedSubgraph_GetNodes: [409, 'status', ['ptr', 'ptr', 'ptr']],
  EpAssignedNode_GetOperatorType: [412, 'status', ['ptr', 'ptr']],
} as const satisfies Record<string, Signature>;

/** Since 1.23: copies between host and device, and what an allocator of a device has given out. */
export const DEVICE_API_VERSION = 23;
export const DEVICE_FUNCTIONS = {
  CopyTensors: [386, 'status', ['ptr', 'ptr', 'ptr', 'ptr', 'size']],
  AllocatorGetStats: [319, 'status', ['ptr', 'ptr']],
  GetKeyValue: [297, 'str', ['ptr', 'str']],
  ReleaseKeyValuePairs: [300, 'void', ['ptr']],
} as const satisfies Record<string, Signature>;

type Arguments<P extends readonly (keyof ArgumentTypes)[]> = {
  -readonly [I in keyof P]: ArgumentTypes[P[I]];
};
export type Calls<T extends Record<string, Signature>> = {
  readonly [K in keyof T]: (...args: Arguments<T[K][2]>) => ResultTypes[T[K][1]];
};
export type OrtCalls = Calls<typeof FUNCTIONS>;
export type PlacementCalls = Calls<typeof PLACEMENT_FUNCTIONS>;
export type DeviceCalls = Calls<typeof DEVICE_FUNCTIONS>;

/** GraphOptimizationLevel */
export const GRAPH_OPTIMIZATION_LEVELS = { disabled: 0, basic: 1, extended: 2, layout: 3, all: 99 } as const;
export type GraphOptimizationLevel = keyof typeof GRAPH_OPTIMIZATION_LEVELS;

/** ONNXTensorElementDataType of the types that a decoder's inputs and outputs have. */
export const ELEMENT_TYPES = { float32: 1, int32: 6, int64: 7, float16: 10, bfloat16: 16 } as const;
export type ElementType = keyof typeof ELEMENT_TYPES;
export const ELEMENT_BYTES: Readonly<Record<ElementType, number>> = {
  float32: 4,
  int32: 4,
  int64: 8,
  float16: 2,
  bfloat16: 2,
};
