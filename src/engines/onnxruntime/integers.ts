/** Host memory of token ids, positions or mask values: int64 or int32, as the model wants it. All zeros at first. */
export class Integers {
  readonly memory: ArrayBuffer;
  /** All of it, in the type that the model wants. */
  readonly values: BigInt64Array | Int32Array;
  /** The low half of every int64: ids are never negative, and writing them as BigInt costs ten times as much. */
  readonly #words: Int32Array;
  readonly #stride: number;

  constructor(elementType: string, count: number) {
    const wide = elementType === 'int64';
    this.#stride = wide ? 2 : 1;
    this.memory = new ArrayBuffer(count * this.#stride * 4);
    this.#words = new Int32Array(this.memory);
    this.values = wide ? new BigInt64Array(this.memory) : this.#words;
  }

  set(index: number, value: number): void {
    this.#words[index * this.#stride] = value;
  }

  fill(value: 0 | 1, start: number, end: number): void {
    if (this.values instanceof BigInt64Array) this.values.fill(BigInt(value), start, end);
    else this.values.fill(value, start, end);
  }
}
