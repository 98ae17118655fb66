import { closeSync, fstatSync, openSync } from 'node:fs';
import { EngineError } from '../../errors.ts';
import { type Field, ProtobufFile } from './protobuf.ts';

/** What a model file says of itself, read without its weights and before ONNX Runtime sees it. */
export interface ModelFile {
  /** Operator type → number of nodes, subgraphs included, before any optimisation. */
  readonly operators: ReadonlyMap<string, number>;
  /** The distinct settings of its MatMulNBits nodes. */
  readonly quantization: readonly MatMulNBits[];
  /** Distinct locations of external data, as written in the file. */
  readonly externalData: readonly string[];
}

export interface MatMulNBits {
  readonly bits: number;
  readonly blockSize: number;
  /** 0 unset, 1 float32, 2 float16, 3 bfloat16, 4 int8: the least precise type that activations may be turned into. */
  readonly accuracyLevel: number;
}

type Message =
  | 'model'
  | 'graph'
  | 'function'
  | 'training'
  | 'node'
  | 'attribute'
  | 'tensor'
  | 'sparseTensor'
  | 'externalData';

/** Field numbers of onnx.proto that lead to a node or a tensor. */
const CHILDREN: Readonly<Record<Message, Readonly<Record<number, Message>>>> = {
  model: { 7: 'graph', 20: 'training', 25: 'function' },
  graph: { 1: 'node', 5: 'tensor', 15: 'sparseTensor' },
  function: { 7: 'node', 11: 'attribute' },
  training: { 1: 'graph', 2: 'graph' },
  node: { 5: 'attribute' },
  attribute: { 5: 'tensor', 6: 'graph', 10: 'tensor', 11: 'graph', 22: 'sparseTensor', 23: 'sparseTensor' },
  tensor: { 13: 'externalData' },
  sparseTensor: { 1: 'tensor', 2: 'tensor' },
  externalData: {},
};
const NODE_OP_TYPE = 4;
const ATTRIBUTE = { name: 1, int: 3 };
const ENTRY = { key: 1, value: 2 };
/** Subgraphs nest in attributes; real models by two or three levels. */
const MAX_DEPTH = 64;

/** Throws EngineError('failed') where the file is missing or no ONNX model. */
export function readModelFile(path: string): ModelFile {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (cause) {
    throw new EngineError('failed', `cannot open the model ${path}: ${(cause as Error).message}`, { cause });
  }
  try {
    const walk = new Walk(new ProtobufFile(fd, fstatSync(fd).size));
    walk.message('model', 0, walk.file.size, 0);
    if (walk.operators.size === 0) throw new SyntaxError('it has no graph');
    return {
      operators: walk.operators,
      quantization: [...walk.quantization.values()],
      externalData: [...walk.externalData],
    };
  } catch (cause) {
    throw new EngineError('failed', `${path} is not a valid ONNX model: ${(cause as Error).message}`, {
      cause,
    });
  } finally {
    closeSync(fd);
  }
}

class Walk {
  readonly file: ProtobufFile;
  readonly operators = new Map<string, number>();
  readonly quantization = new Map<string, MatMulNBits>();
  readonly externalData = new Set<string>();
  /** Integer attributes of the node being read. */
  #attributes = new Map<string, number>();

  constructor(file: ProtobufFile) {
    this.file = file;
  }

  message(kind: Message, start: number, end: number, depth: number): void {
    if (depth > MAX_DEPTH) throw new SyntaxError('its messages nest too deeply');
    const texts = new Map<number, Field>();
    if (kind === 'node') this.#attributes = new Map();
    for (const field of this.file.fields(start, end)) {
      const child = CHILDREN[kind][field.number];
      if (child && 'start' in field) this.message(child, field.start, field.end, depth + 1);
      else texts.set(field.number, field);
    }
    if (kind === 'node') this.#node(texts);
    else if (kind === 'attribute') this.#attribute(texts);
    else if (kind === 'externalData') this.#entry(texts);
  }

  #node(fields: ReadonlyMap<number, Field>): void {
    const field = fields.get(NODE_OP_TYPE);
    const type = field ? this.file.text(field) : '?';
    this.operators.set(type, (this.operators.get(type) ?? 0) + 1);
    if (type !== 'MatMulNBits') return;
    const settings = {
      bits: this.#attributes.get('bits') ?? 4,
      blockSize: this.#attributes.get('block_size') ?? 0,
      accuracyLevel: this.#attributes.get('accuracy_level') ?? 0,
    };
    this.quantization.set(JSON.stringify(settings), settings);
  }

  #attribute(fields: ReadonlyMap<number, Field>): void {
    const name = fields.get(ATTRIBUTE.name);
    const int = fields.get(ATTRIBUTE.int);
    if (name && int && 'value' in int) {
      this.#attributes.set(this.file.text(name), Number(BigInt.asIntN(64, int.value)));
    }
  }

  #entry(fields: ReadonlyMap<number, Field>): void {
    const key = fields.get(ENTRY.key);
    const value = fields.get(ENTRY.value);
    if (key && value && this.file.text(key) === 'location') this.externalData.add(this.file.text(value));
  }
}
