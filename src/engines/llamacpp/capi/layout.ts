import { UnknownVersionError } from './version-error.ts';

/**
 * Parameter structs are handled as images: the bytes that `llama_*_default_params()` returned, with single fields
 * overwritten at known offsets, then passed back by value. A field that a later version appends travels along
 * untouched. Offsets follow include/llama.h and ggml.h of llama.cpp 0.5 for 64-bit little-endian platforms.
 */
export type FieldKind = 'i32' | 'f32' | 'ptr' | 'bool';
export interface Field {
  readonly offset: number;
  readonly kind: FieldKind;
  /** Value in the image of a library that has this layout; null where it says nothing. */
  readonly initial: number | null;
}
export type Layout = Readonly<Record<string, Field>>;

/** Room for the largest parameter struct, several times over: the library writes as much of it as it knows. */
export const PARAMS_BYTES = 1024;

const i32 = (offset: number, initial: number | null): Field => ({ offset, kind: 'i32', initial });
const f32 = (offset: number, initial: number): Field => ({ offset, kind: 'f32', initial });
const ptr = (offset: number): Field => ({ offset, kind: 'ptr', initial: 0 });
const bool = (offset: number, initial: 0 | 1): Field => ({ offset, kind: 'bool', initial });

export const MODEL_PARAMS = {
  devices: ptr(0),
  tensorBuftOverrides: ptr(8),
  nGpuLayers: i32(16, -1),
  splitMode: i32(20, 1),
  loadMode: i32(24, -1),
  lazyMode: i32(28, 1),
  mainGpu: i32(32, 0),
  tensorSplit: ptr(40),
  progressCallback: ptr(48),
  progressCallbackData: ptr(56),
  kvOverrides: ptr(64),
  vocabOnly: bool(72, 0),
  checkTensors: bool(73, 0),
  useExtraBufts: bool(74, 1),
  noHost: bool(75, 0),
  noAlloc: bool(76, 0),
  loadMtp: bool(77, 0),
} as const satisfies Layout;

export const CONTEXT_PARAMS = {
  nCtx: i32(0, 512),
  nBatch: i32(4, 2048),
  nUbatch: i32(8, 512),
  nSeqMax: i32(12, 1),
  nRsSeq: i32(16, 0),
  nOutputsMax: i32(20, 0),
  nOutputsMaxPerSeq: i32(24, 1),
  nThreads: i32(28, 4),
  nThreadsBatch: i32(32, 4),
  ctxType: i32(36, 0),
  ropeScalingType: i32(40, -1),
  poolingType: i32(44, -1),
  attentionType: i32(48, -1),
  flashAttnType: i32(52, -1),
  ropeFreqBase: f32(56, 0),
  ropeFreqScale: f32(60, 0),
  yarnExtFactor: f32(64, -1),
  yarnAttnFactor: f32(68, -1),
  yarnBetaFast: f32(72, -1),
  yarnBetaSlow: f32(76, -1),
  yarnOrigCtx: i32(80, 0),
  defragThold: f32(84, -1),
  cbEval: ptr(88),
  cbEvalUserData: ptr(96),
  typeK: i32(104, 1),
  typeV: i32(108, 1),
  abortCallback: ptr(112),
  abortCallbackData: ptr(120),
  embeddings: bool(128, 0),
  offloadKqv: bool(129, 1),
  noPerf: bool(130, 1),
  opOffload: bool(131, 1),
  swaFull: bool(132, 1),
  kvUnified: bool(133, 0),
  samplers: ptr(136),
  nSamplers: ptr(144),
  ctxOther: ptr(152),
} as const satisfies Layout;

/** Filled through a pointer by `ggml_threadpool_params_init(params, n_threads)`. */
export const THREADPOOL_PARAMS = {
  nThreads: i32(512, null),
  priority: i32(516, 0),
  poll: i32(520, 50),
  strictCpu: bool(524, 0),
  paused: bool(525, 0),
} as const satisfies Layout;

const viewOf = (image: Uint8Array) => new DataView(image.buffer, image.byteOffset, image.byteLength);

/** @throws RangeError when the image is shorter than the field's end. */
export function readField(image: Uint8Array, field: Field): number {
  const view = viewOf(image);
  switch (field.kind) {
    case 'i32':
      return view.getInt32(field.offset, true);
    case 'f32':
      return view.getFloat32(field.offset, true);
    case 'ptr':
      return Number(view.getBigUint64(field.offset, true));
    case 'bool':
      return view.getUint8(field.offset);
  }
}

/** Overwrites one field of an image; `value` is an address for a pointer, 0 or 1 for a bool. */
export function writeField(image: Uint8Array, field: Field, value: number | bigint): void {
  const view = viewOf(image);
  switch (field.kind) {
    case 'i32':
      view.setInt32(field.offset, Number(value), true);
      return;
    case 'f32':
      view.setFloat32(field.offset, Number(value), true);
      return;
    case 'ptr':
      view.setBigUint64(field.offset, BigInt(value), true);
      return;
    case 'bool':
      view.setUint8(field.offset, Number(value));
  }
}

/**
 * Compares a default image with the defaults this layout expects, field by field: in a library whose struct gained,
 * lost or moved a field, some value no longer lies where it should.
 * @throws UnknownVersionError naming the library, the struct and the fields.
 */
export function checkLayout(struct: string, layout: Layout, image: Uint8Array, library: string): void {
  const wrong = Object.entries(layout)
    .filter(([, field]) => field.initial !== null && readField(image, field) !== field.initial)
    .map(([name, field]) => `${name} is ${readField(image, field)}, not ${field.initial}`);
  if (wrong.length === 0) return;
  const shown = wrong.slice(0, 4).join('; ') + (wrong.length > 4 ? `; and ${wrong.length - 4} more` : '');
  throw new UnknownVersionError(
    `${library} lays out ${struct} in a way this program does not know (${shown})`,
  );
}
