import type { z } from 'zod';
import type { Activation } from '../schema/model.ts';
import type {
  GenerateRequest,
  Generation,
  Loaded,
  LoadRequest,
  Prepared,
  Shape,
  TeacherForceRequest,
} from '../schema/protocol.ts';
import type { ArtefactKind, Device, Precision } from '../schema/vocabulary.ts';

/** `true`, or why this engine does not honestly do it on that device (it would upcast or fall back). */
export type Support = true | string | Insistable;

/** A refusal that a sweep can overrule with an option of the engine: its cells run then, and say what they computed in. */
export interface Insistable {
  readonly reason: string;
  readonly insist: { readonly option: string; readonly value: string };
  /** What is computed with in truth: memory and time are planned for it. */
  readonly computesIn: Precision;
}

/** How an engine's process holds a model and what it computes; plan/memory.ts predicts its peak from this. */
export interface MemoryTraits {
  /** Resident MiB before any model: the process, its libraries, their first buffers. */
  readonly processMiB: number;
  /** How often int4 matrices are held: 2 where they are packed anew beside those of the file. */
  readonly int4Copies: 1 | 2;
  /** An embedding table that is mapped from its file is resident where tokens looked it up, and a little around. */
  readonly embedding: 'read' | 'mapped';
  /** KV caches alive at once: 2 where it grows by concatenation. */
  readonly kvCopies: number;
  /** KV cells of a sequence are rounded up to a multiple of this. */
  readonly kvPadding: number;
  /** Most prompt tokens that are computed at once. */
  readonly chunkTokens: number;
  /** Whether attention writes the scores of a whole prompt to memory. */
  readonly attentionScores: boolean;
  /** What an allocator holds, over what is alive of activations. */
  readonly activationsFactor: number;
  /** Garbage of the host language that a run leaves before it is collected, in MiB. */
  readonly hostMiB: number;
  /** MiB of the compiler and of the code of one cell, and copies of the matrices in its graphs; null without one. */
  readonly compile: { readonly processMiB: number; readonly weightCopies: number } | null;
}

export interface EngineMeta {
  /** Key in the engine map, as written in a sweep. */
  readonly id: string;
  /** As printed on charts, e.g. "ONNX Runtime". */
  readonly title: string;
  readonly artefact: ArtefactKind;
  /** A device that is absent is one the engine has no path for. */
  readonly precisions: Partial<Record<Device, Readonly<Record<Precision, Support>>>>;
  /** Batches whose prompts differ in length. */
  readonly ragged: boolean;
  /** Where a native engine's session runs unless the sweep says otherwise. External runners are always processes. */
  readonly isolation: 'in-process' | 'process';
  /** Compiles per shape: the plan budgets time for it and records carry compileNs. */
  readonly compiles: boolean;
  /** Where its memory differs from what engines with the same kind of artefact have in common (plan/memory-traits.ts). */
  readonly memory?: Partial<MemoryTraits>;
  /** Why it attends to every token of a model with a sliding window; absent where it keeps to the window. */
  readonly ignoresSlidingWindow?: string;
  /** An activation whose fp32 is coarser than summation order makes it, and why: the parity check allows for that. */
  readonly coarseFp32?: { readonly activation: Activation; readonly reason: string };
  /**
   * Its prefill runs the MLP of the last layer for those positions alone whose logits are asked for: next to nothing of a
   * whole model, most of a model that was cut to one layer.
   */
  readonly sparesLastMlp?: boolean;
  /** The engine whose logits are the reference of the parity check at fp32. Exactly one engine says true. */
  readonly reference?: boolean;
}

/** What `doctor` prints and a sweep checks at its start. */
export type Availability =
  | { available: true; versions: Record<string, string>; notes: string[] }
  /** `mend` is the exact command that installs what is missing. */
  | { available: false; reason: string; mend: string };

/**
 * The primitives of an engine that lives in a Node process. The one decode loop (engines/native/session.ts) times
 * them, selects tokens and writes logits, so every native engine is timed by the same lines.
 */
export interface Decoder {
  readonly vocabSize: number;
  /** Allocates and clears the KV cache for these prompts plus `generate` tokens, room for `capacity`. Not timed. */
  begin(prompts: readonly Int32Array[], capacity: number): void | Promise<void>;
  /**
   * Host ids → last-position logits, [batch × vocab] row-major; valid until the next call. Like `step`, it returns when
   * the host can read them: a device is waited for inside, where the clock runs.
   */
  prefill(): Float32Array | Promise<Float32Array>;
  /** Feeds one id per sequence; returns the logits after it, [batch × vocab]. */
  step(ids: Int32Array): Float32Array | Promise<Float32Array>;
  /** Shape-dependent facts of the run begun last, merged into the prepared reply. */
  effective?(): Record<string, string | number | boolean | null>;
  /** Most bytes of the device's memory so far; null where it cannot tell. Absent on engines of the host alone. */
  peakDeviceBytes?(): number | null;
  close(): void | Promise<void>;
}

export interface RunnerCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** How the harness reaches the engine. */
export type Drive =
  | {
      kind: 'native';
      /**
       * Loads the model; `Loaded.loadNs` is measured inside. Throws EngineError. The session is a NativeSession around a
       * Decoder, or one of its own where the engine's tool keeps its loop to itself.
       */
      load(request: LoadRequest): Promise<EngineSession>;
    }
  | {
      kind: 'runner';
      /** A program that speaks the runner protocol (schema/protocol.ts) on stdin and stdout. */
      command(): Promise<RunnerCommand>;
    };

/** Something that makes an engine better than it is without, and that takes the user's decision. */
export interface Installation {
  /** What it makes, how long it takes: completes "ortbench setup ENGINE --KEY: …". */
  readonly does: string;
  /** Makes it, or finds it made. @returns facts to print, path first. @throws UserError, InfrastructureError */
  run(onProgress: (line: string) => void): Promise<Readonly<Record<string, string>>>;
}

/** An engine is a folder under engines/ and a line in engines/index.ts. Importing it must load no native library. */
export interface Engine {
  readonly meta: EngineMeta;
  /** Options a sweep may set for this engine, all with defaults; strict. */
  readonly options: z.ZodType<Record<string, unknown>>;
  /** `options` as its schema gives them: what is available may depend on which build they name. */
  probe(device: Device, options: Record<string, unknown>): Promise<Availability>;
  /** Installs what probe misses, where that needs no decision of the user's. A sweep calls it by itself. */
  install?(onProgress: (line: string) => void): Promise<void>;
  /** By the flag of `ortbench setup` that asks for it. */
  readonly installs?: { readonly native?: Installation };
  readonly drive: Drive;
}

/** A loaded model, wherever it lives. Methods throw EngineError; calls must not overlap. */
export interface EngineSession {
  readonly loaded: Loaded;
  /** Compiles or otherwise readies a shape, before warm-up. */
  prepare(shape: Shape): Promise<Prepared>;
  generate(request: GenerateRequest): Promise<Generation>;
  teacherForce(request: TeacherForceRequest): Promise<{ steps: number; vocabSize: number }>;
  close(): Promise<void>;
}
