let table: Float32Array | null = null;

/** Every float16 as float32: 256 KiB, made when float16 is first met. */
function float16Table(): Float32Array {
  const values = new Float32Array(1 << 16);
  for (let bits = 0; bits < values.length; bits++) {
    const exponent = (bits >> 10) & 0x1f;
    const fraction = bits & 0x3ff;
    let magnitude: number;
    if (exponent === 0x1f) magnitude = fraction === 0 ? Number.POSITIVE_INFINITY : Number.NaN;
    else if (exponent === 0) magnitude = fraction * 2 ** -24;
    else magnitude = (1 + fraction / 1024) * 2 ** (exponent - 15);
    values[bits] = bits & 0x8000 ? -magnitude : magnitude;
  }
  return values;
}

/** IEEE 754 binary16 bit patterns → float32, written to `target` from `offset` on. */
export function float16ToFloat32(source: Uint16Array, target: Float32Array, offset: number): void {
  table ??= float16Table();
  for (let i = 0; i < source.length; i++) target[offset + i] = table[source[i]!]!;
}
