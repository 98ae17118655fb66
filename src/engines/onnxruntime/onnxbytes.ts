/** Just enough of onnx.proto's wire format to write small models; field numbers are onnx.proto's. */
export const FLOAT = 1;
export const UINT8 = 2;
export const INT32 = 6;
export const INT64 = 7;
export const FLOAT16 = 10;

function varint(value: number | bigint): Buffer {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 0x80 : low);
  } while (rest > 0n);
  return Buffer.from(bytes);
}

export const int = (field: number, value: number | bigint): Buffer =>
  Buffer.concat([varint(field << 3), varint(value)]);

export const message = (field: number, ...parts: (Buffer | string)[]): Buffer => {
  const body = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
  return Buffer.concat([varint((field << 3) | 2), varint(body.length), body]);
};

/** AttributeProto of type INT; field 5 of a node. */
export const attribute = (name: string, value: number): Buffer =>
  message(5, message(1, name), int(3, value), int(20, 2));

export const node = (
  type: string,
  inputs: string[],
  outputs: string[],
  attributes: Record<string, number> = {},
  domain = '',
): Buffer =>
  message(
    1,
    ...inputs.map((name) => message(1, name)),
    ...outputs.map((name) => message(2, name)),
    message(3, outputs[0] ?? type),
    message(4, type),
    ...Object.entries(attributes).map(([name, value]) => attribute(name, value)),
    message(7, domain),
  );

export const tensor = (name: string, type: number, dims: number[], data: ArrayBufferView): Buffer =>
  message(
    5,
    ...dims.map((dim) => int(1, dim)),
    int(2, type),
    message(8, name),
    message(9, Buffer.from(data.buffer, data.byteOffset, data.byteLength)),
  );

/** Its data lies in another file, from `offset` on. */
export const externalTensor = (
  name: string,
  type: number,
  dims: number[],
  location: string,
  length: number,
): Buffer =>
  message(
    5,
    ...dims.map((dim) => int(1, dim)),
    int(2, type),
    message(8, name),
    message(13, message(1, 'location'), message(2, location)),
    message(13, message(1, 'offset'), message(2, '0')),
    message(13, message(1, 'length'), message(2, String(length))),
    int(14, 1),
  );

/** ValueInfoProto; field 11 of a graph for an input, 12 for an output. A string dimension is a name. */
const value = (field: number, name: string, type: number, dims: (number | string)[]): Buffer =>
  message(
    field,
    message(1, name),
    message(
      2,
      message(
        1,
        int(1, type),
        message(2, ...dims.map((d) => message(1, typeof d === 'number' ? int(1, d) : message(2, d)))),
      ),
    ),
  );
export const input = (name: string, type: number, dims: (number | string)[]): Buffer =>
  value(11, name, type, dims);
export const output = (name: string, type: number, dims: (number | string)[]): Buffer =>
  value(12, name, type, dims);

export const model = (...graph: Buffer[]): Buffer =>
  Buffer.concat([
    int(1, 8),
    message(8, message(1, ''), int(2, 17)),
    message(8, message(1, 'com.microsoft'), int(2, 1)),
    message(7, message(2, 'test'), ...graph),
  ]);
