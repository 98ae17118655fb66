import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../../errors.ts';
import type { TensorInfo } from './capi/session.ts';
import type { ElementType } from './capi/table.ts';

/** A key or value cache of one layer: an input and the output that continues it. */
export interface CacheSlot {
  readonly past: string;
  readonly present: string;
  readonly elementType: ElementType;
  readonly kvHeads: number;
  readonly headSize: number;
}

/** What the model computes logits for: `index` the row of each sequence that logits_index names. */
export type LogitsScope = 'index' | 'last' | 'all';

/** A decoder's inputs and outputs, by the part that each plays. */
export interface DecoderGraph {
  readonly inputIds: TensorInfo;
  readonly attentionMask: TensorInfo;
  readonly positionIds: TensorInfo | null;
  readonly logitsIndex: TensorInfo | null;
  readonly cache: readonly CacheSlot[];
  readonly logits: { name: string; elementType: ElementType; scope: LogitsScope };
  readonly vocabSize: number;
}

const CACHE_INPUT = /^past.*\.(\d+)\.(key|value)$/;
const CACHE_OUTPUT = /^present.*\.(\d+)\.(key|value)$/;
/** The builder's own, beside the model, or where a prepared artefact keeps the part that onnxruntime-genai loads. */
const GENAI_CONFIGS = ['genai_config.json', 'genai/genai_config.json'] as const;
const KNOWN = { ids: 'input_ids', mask: 'attention_mask', positions: 'position_ids', index: 'logits_index' };

/**
 * Finds the parts in a session's inputs and outputs. Throws EngineError('unsupported') for a model that is no decoder
 * of the kind onnxruntime-genai's model builder makes.
 * @param modelDir the model's folder, whose genai_config.json is read for sizes that the graph leaves open
 */
export function readGraph(
  modelDir: string,
  inputs: readonly TensorInfo[],
  outputs: readonly TensorInfo[],
): DecoderGraph {
  const unsupported = (why: string) => new EngineError('unsupported', `this ONNX model ${why}`);
  const integer = (name: string): TensorInfo | null => {
    const info = inputs.find((input) => input.name === name);
    if (info && info.elementType !== 'int64' && info.elementType !== 'int32') {
      throw unsupported(`takes ${name} as ${info.elementType}, not as int64 or int32`);
    }
    return info ?? null;
  };
  const required = (name: string): TensorInfo => {
    const info = integer(name);
    if (!info) throw unsupported(`has no input ${name}`);
    return info;
  };
  const sizes = lazySizes(modelDir);
  const presents = new Map<string, string>();
  for (const { name } of outputs) {
    const match = CACHE_OUTPUT.exec(name);
    if (match) presents.set(`${match[1]}.${match[2]}`, name);
  }
  const cache: CacheSlot[] = [];
  const names = new Set(Object.values(KNOWN));
  for (const input of inputs) {
    const match = CACHE_INPUT.exec(input.name);
    if (!match) {
      if (!names.has(input.name)) throw unsupported(`has an input ${input.name} that ortbench does not know`);
      continue;
    }
    const present = presents.get(`${match[1]}.${match[2]}`);
    if (!present) throw unsupported(`has the cache input ${input.name} but no output that continues it`);
    const [, heads = -1, , head = -1] = input.dimensions;
    if (heads < 1) throw unsupported(`does not state the number of heads of ${input.name}`);
    cache.push({
      past: input.name,
      present,
      elementType: input.elementType,
      kvHeads: heads,
      headSize: head > 0 ? head : sizes('head_size'),
    });
  }
  if (cache.length === 0) throw unsupported('has no KV cache inputs');
  const logits = outputs.find((output) => output.name === 'logits');
  if (!logits) throw unsupported('has no output logits');
  const { elementType, dimensions } = logits;
  if (elementType !== 'float32' && elementType !== 'float16') {
    throw unsupported(`gives logits as ${elementType}, not as float32 or float16`);
  }
  const vocab = dimensions[2] ?? -1;
  const logitsIndex = integer(KNOWN.index);
  return {
    inputIds: required(KNOWN.ids),
    attentionMask: required(KNOWN.mask),
    positionIds: integer(KNOWN.positions),
    logitsIndex,
    cache,
    logits: {
      name: logits.name,
      elementType,
      scope: logitsIndex ? 'index' : dimensions[1] === 1 ? 'last' : 'all',
    },
    vocabSize: vocab > 0 ? vocab : sizes('vocab_size'),
  };
}

/** Sizes from the builder's genai_config.json, looked for at the first question. */
function lazySizes(modelDir: string): (key: 'head_size' | 'vocab_size') => number {
  return (key) => {
    const path = GENAI_CONFIGS.map((name) => join(modelDir, name)).find((file) => existsSync(file));
    if (!path) {
      throw new EngineError(
        'unsupported',
        `the ONNX model leaves its ${key} open, and no ${GENAI_CONFIGS[0]} lies with it`,
      );
    }
    const { model } = JSON.parse(readFileSync(path, 'utf8')) as {
      model?: { vocab_size?: unknown; decoder?: { head_size?: unknown } };
    };
    const size = key === 'vocab_size' ? model?.vocab_size : model?.decoder?.head_size;
    if (typeof size !== 'number' || !Number.isInteger(size) || size < 1) {
      throw new EngineError('unsupported', `${path} does not state ${key}`);
    }
    return size;
  };
}
