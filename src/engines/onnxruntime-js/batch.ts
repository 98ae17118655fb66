import type { InferenceSession, Tensor } from 'onnxruntime-node';
import type { DecoderGraph } from '../onnxruntime/graph.ts';
import { Integers } from '../onnxruntime/integers.ts';
import { LastRows } from '../onnxruntime/lastrows.ts';
import { fillRaggedMask, type Prompts } from '../onnxruntime/prompts.ts';
import { asEngineError, type Ort } from './binding.ts';
import type { Cache } from './cache.ts';

/** What a forward of one length feeds besides mask and cache, and how its logits are read. */
interface Phase {
  readonly ids: Integers;
  readonly positions: Integers | null;
  /** Tensors over the memory above: made once, for every run of this length. */
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly lastRows: LastRows;
}

/**
 * A batch in flight: prefill feeds [batch, longest], a step [batch, 1]. Memory of the inputs is made ahead; a run gets a
 * tensor over the beginning of the mask's, one token wider than the last.
 */
export class Batch {
  readonly prompts: Prompts;
  readonly cache: Cache;
  readonly #ort: Ort;
  readonly #session: InferenceSession;
  readonly #graph: DecoderGraph;
  readonly #prefill: Phase;
  readonly #decode: Phase;
  readonly #mask: Integers;
  /** Forwards after the prefill. */
  #steps = 0;

  constructor(
    ort: Ort,
    session: InferenceSession,
    graph: DecoderGraph,
    cache: Cache,
    prompts: Prompts,
    capacity: number,
  ) {
    this.#ort = ort;
    this.#session = session;
    this.#graph = graph;
    this.cache = cache;
    this.prompts = prompts;
    const { rows, longest } = prompts;
    const lastOfPrompt = rows.map((row) => row.length - 1);
    this.#prefill = this.#phase(longest, lastOfPrompt);
    const onlyRow = rows.map(() => 0);
    this.#decode = this.#phase(1, onlyRow);
    for (let i = 0; i < rows.length * longest; i++) this.#prefill.positions?.set(i, i % longest);
    this.#mask = new Integers(graph.attentionMask.elementType, rows.length * capacity);
    this.#mask.fill(1, 0, rows.length * capacity);
  }

  /** Tokens that the longest sequence has in the cache after the forwards made. */
  get width(): number {
    return this.prompts.longest + this.#steps;
  }

  async prefill(): Promise<Float32Array> {
    const { rows, longest } = this.prompts;
    const { ids } = this.#prefill;
    for (let b = 0; b < rows.length; b++) {
      const row = rows[b]!;
      for (let i = 0; i < row.length; i++) ids.set(b * longest + i, row[i]!);
    }
    return this.#run(this.#prefill);
  }

  /** @param tokens one for each sequence */
  async step(tokens: Int32Array): Promise<Float32Array> {
    const { rows } = this.prompts;
    const { ids, positions } = this.#decode;
    for (let b = 0; b < rows.length; b++) {
      ids.set(b, tokens[b]!);
      positions?.set(b, rows[b]!.length + this.#steps);
    }
    this.#steps++;
    return this.#run(this.#decode);
  }

  async #run({ feeds, lastRows }: Phase): Promise<Float32Array> {
    const { attentionMask, logits } = this.#graph;
    if (this.prompts.ragged) fillRaggedMask(this.#mask, this.prompts, this.#steps);
    const mask = this.#tensor(this.#mask, [this.prompts.rows.length, this.width]);
    let returned: Readonly<Record<string, Tensor>>;
    try {
      returned = await this.#session.run(
        { ...feeds, [attentionMask.name]: mask, ...this.cache.feeds },
        { ...this.cache.fetches, [logits.name]: null },
      );
    } catch (error) {
      throw asEngineError(error, 'running the model');
    }
    this.cache.advance(returned);
    return lastRows.read(numbersOf(returned[logits.name]!));
  }

  #phase(length: number, lastRows: number[]): Phase {
    const { inputIds, positionIds, logitsIndex, logits, vocabSize } = this.#graph;
    const batchSize = lastRows.length;
    const shape = [batchSize, length];
    const ids = new Integers(inputIds.elementType, batchSize * length);
    const feeds: Record<string, Tensor> = { [inputIds.name]: this.#tensor(ids, shape) };
    let positions: Integers | null = null;
    if (positionIds) {
      positions = new Integers(positionIds.elementType, batchSize * length);
      feeds[positionIds.name] = this.#tensor(positions, shape);
    }
    if (logitsIndex) {
      const index = new Integers(logitsIndex.elementType, batchSize);
      for (let b = 0; b < batchSize; b++) index.set(b, lastRows[b]!);
      feeds[logitsIndex.name] = this.#tensor(index, [batchSize, 1]);
    }
    const computed = logits.scope === 'all' ? length : 1;
    const readRows = computed === 1 ? lastRows.map(() => 0) : lastRows;
    const half = logits.elementType === 'float16';
    return { ids, positions, feeds, lastRows: new LastRows(computed, readRows, vocabSize, half) };
  }

  /** Over the beginning of the memory. */
  #tensor({ values }: Integers, shape: readonly number[]): Tensor {
    const part = values.subarray(
      0,
      shape.reduce((product, n) => product * n),
    );
    return part instanceof BigInt64Array
      ? new this.#ort.Tensor('int64', part, shape)
      : new this.#ort.Tensor('int32', part, shape);
  }
}

/** float16 comes as Uint16Array, or as Float16Array from a Node that has one: both are read as bit patterns. */
function numbersOf({ data }: Tensor): Float32Array | Uint16Array {
  if (data instanceof Float32Array) return data;
  const { buffer, byteOffset, length } = data as Uint16Array<ArrayBuffer>;
  return new Uint16Array(buffer, byteOffset, length);
}
