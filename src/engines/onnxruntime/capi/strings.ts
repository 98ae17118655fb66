const POINTER_BYTES = 8;

/** An array of C strings, `const char* const*`. Referenced as long as the call lasts. */
export interface StringArray {
  readonly pointers: BigUint64Array;
  /** Owns what the pointers point to. */
  readonly bytes: Uint8Array;
}

/** @param addressOf gives the address of a typed array's first byte, whose memory stays where it is */
export function stringArray(
  values: readonly string[],
  addressOf: (array: ArrayBufferView) => bigint,
): StringArray {
  const encoded = values.map((value) => Buffer.from(`${value}\0`, 'utf8'));
  const bytes = new Uint8Array(new ArrayBuffer(Math.max(1, sum(encoded.map(({ length }) => length)))));
  const pointers = new BigUint64Array(new ArrayBuffer(Math.max(1, values.length) * POINTER_BYTES));
  const base = addressOf(bytes);
  let offset = 0;
  encoded.forEach((text, i) => {
    bytes.set(text, offset);
    pointers[i] = base + BigInt(offset);
    offset += text.length;
  });
  return { pointers, bytes };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
