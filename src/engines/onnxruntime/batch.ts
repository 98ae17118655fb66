import { createBinding, type OrtBinding } from './capi/binding.ts';
import type { OrtLibrary } from './capi/library.ts';
import type { OrtSession, TensorInfo } from './capi/session.ts';
import type { DecoderGraph } from './graph.ts';
import { IntegerInput } from './inputs.ts';
import type { KvCache } from './kvcache.ts';
import { LogitsOutput } from './logits.ts';
import { fillRaggedMask, type Prompts } from './prompts.ts';

/** One binding with what it reads and writes besides the cache. */
interface Phase {
  readonly binding: OrtBinding;
  readonly ids: IntegerInput;
  readonly positions: IntegerInput | null;
  readonly logits: LogitsOutput;
}

/**
 * A batch in flight: two bindings made ahead, prefill [batch, longest] and decode [batch, 1], over one KV cache. A step
 * writes its ids, binds a mask one wider and runs.
 *
 * GroupQueryAttention takes a sequence's length from the sum of its mask row, and from the mask's width whether this
 * is a prompt. So a ragged row's mask is its ones first, then zeros, and its keys are appended at its own length, over
 * what the padding left there.
 */
export class Batch {
  readonly prompts: Prompts;
  readonly #library: OrtLibrary;
  readonly #session: OrtSession;
  readonly #graph: DecoderGraph;
  readonly #cache: KvCache;
  /** Inputs are copied to a device when they are bound, so that they are bound again after each change. */
  readonly #onDevice: boolean;
  readonly #owned: { release(): void }[] = [];
  readonly #prefill: Phase;
  readonly #decode: Phase;
  /** [batch, capacity] of memory; each forward takes a tensor over its beginning. */
  readonly #mask: IntegerInput;
  /** Forwards after the prefill. */
  #steps = 0;

  constructor(
    library: OrtLibrary,
    session: OrtSession,
    graph: DecoderGraph,
    cache: KvCache,
    prompts: Prompts,
    onDevice = false,
  ) {
    this.#library = library;
    this.#session = session;
    this.#graph = graph;
    this.#cache = cache;
    this.#onDevice = onDevice;
    this.prompts = prompts;
    const { rows, longest } = prompts;
    try {
      this.#prefill = this.#phase(
        longest,
        rows.map((row) => row.length - 1),
      );
      this.#decode = this.#phase(
        1,
        rows.map(() => 0),
      );
      for (let i = 0; i < rows.length * longest; i++) this.#prefill.positions?.set(i, i % longest);
      this.#mask = this.#integers(graph.attentionMask, [rows.length, cache.capacity]);
      this.#mask.fill(1, 0, rows.length * cache.capacity);
      if (prompts.ragged) fillRaggedMask(this.#mask, prompts, 0);
      if (!onDevice) this.#bindMask(this.#prefill.binding);
    } catch (error) {
      this.release();
      throw error;
    }
  }

  /** Tokens that the longest sequence has in the cache after the forwards made. */
  get width(): number {
    return this.prompts.longest + this.#steps;
  }

  prefill(): Float32Array {
    const { rows, longest } = this.prompts;
    const { ids } = this.#prefill;
    for (let b = 0; b < rows.length; b++) {
      const row = rows[b]!;
      for (let i = 0; i < row.length; i++) ids.set(b * longest + i, row[i]!);
    }
    if (this.#onDevice) this.#bindMask(this.#prefill.binding);
    return this.#run(this.#prefill);
  }

  /** @param tokens one for each sequence */
  step(tokens: Int32Array): Float32Array {
    const { rows, ragged } = this.prompts;
    const { ids, positions, binding } = this.#decode;
    for (let b = 0; b < rows.length; b++) {
      ids.set(b, tokens[b]!);
      positions?.set(b, rows[b]!.length + this.#steps);
    }
    this.#steps++;
    if (ragged) fillRaggedMask(this.#mask, this.prompts, this.#steps);
    this.#bindMask(binding);
    return this.#run(this.#decode);
  }

  /** Copies ids in, runs, and returns when the logits lie in the host's memory (spec/metrics): all of it is timed. */
  #run({ binding, ids, positions, logits }: Phase): Float32Array {
    if (this.#onDevice) {
      const { inputIds, positionIds } = this.#graph;
      binding.bindInput(inputIds.name, ids.tensor);
      if (positionIds && positions) binding.bindInput(positionIds.name, positions.tensor);
    }
    binding.run();
    if (this.#onDevice) binding.synchroniseOutputs();
    return logits.read();
  }

  release(): void {
    // Last made, first released: bindings hold tensors.
    while (this.#owned.length > 0) this.#owned.pop()!.release();
  }

  #phase(length: number, lastRows: number[]): Phase {
    const graph = this.#graph;
    const batchSize = lastRows.length;
    const ids = this.#integers(graph.inputIds, [batchSize, length]);
    const positions = graph.positionIds && this.#integers(graph.positionIds, [batchSize, length]);
    const computed = graph.logits.scope === 'all' ? length : 1;
    const logits = this.#own(
      new LogitsOutput(this.#library, graph, computed, computed === 1 ? lastRows.map(() => 0) : lastRows),
    );
    const binding = this.#own(createBinding(this.#library, this.#session));
    this.#cache.bind(binding);
    binding.bindInput(graph.inputIds.name, ids.tensor);
    if (graph.positionIds && positions) binding.bindInput(graph.positionIds.name, positions.tensor);
    if (graph.logitsIndex) {
      const index = this.#integers(graph.logitsIndex, [batchSize, 1]);
      for (let b = 0; b < batchSize; b++) index.set(b, lastRows[b]!);
      binding.bindInput(graph.logitsIndex.name, index.tensor);
    }
    binding.bindOutput(graph.logits.name, logits.tensor);
    return { binding, ids, positions, logits };
  }

  #integers(info: TensorInfo, shape: number[]): IntegerInput {
    return this.#own(new IntegerInput(this.#library, info.elementType, shape));
  }

  #own<T extends { release(): void }>(resource: T): T {
    this.#owned.push(resource);
    return resource;
  }

  #bindMask(binding: OrtBinding): void {
    const mask = this.#mask.reshaped([this.prompts.rows.length, this.width]);
    try {
      binding.bindInput(this.#graph.attentionMask.name, mask);
    } finally {
      mask.release();
    }
  }
}
