import { z } from 'zod';

/** Weight precisions a sweep can ask for. What an engine really computes in is in a session's `effective` record. */
export const PRECISIONS = ['fp32', 'fp16', 'bf16', 'int4'] as const;
export const precisionSchema = z.enum(PRECISIONS);
export type Precision = z.infer<typeof precisionSchema>;

export const DEVICES = ['cpu', 'cuda', 'webgpu'] as const;
export const deviceSchema = z.enum(DEVICES);
export type Device = z.infer<typeof deviceSchema>;

/** The two timed phases of spec/metrics. */
export const PHASES = ['prefill', 'decode'] as const;
export const phaseSchema = z.enum(PHASES);
export type Phase = (typeof PHASES)[number];

/**
 * How a cell ended. Only `ok` (and `mismatch`, hatched) is charted; every other status carries a reason.
 * - skipped: left out before running (exclude rule, would not fit in memory, prompt longer than the context)
 * - unsupported: the engine cannot honestly do this (it would silently upcast or fall back)
 * - unavailable: the engine, device or model is not there on this machine
 * - invalid: it ran, but an identity of spec/metrics does not hold
 * - mismatch: it ran, but the engine does not compute what the reference computes
 * - imported: another tool's own figure, read from its output: drawn apart, with what that tool counts
 */
export const STATUSES = [
  'ok',
  'mismatch',
  'invalid',
  'skipped',
  'unsupported',
  'unavailable',
  'failed',
  'oom',
  'timeout',
  'crashed',
  'killed',
  'protocol-error',
  'interrupted',
  'imported',
] as const;
export const statusSchema = z.enum(STATUSES);
export type Status = z.infer<typeof statusSchema>;

/** The artefact an engine loads; `models/` knows how to make each kind from a canonical checkpoint. */
export const ARTEFACT_KINDS = ['checkpoint', 'onnx', 'gguf', 'none'] as const;
export type ArtefactKind = (typeof ARTEFACT_KINDS)[number];
