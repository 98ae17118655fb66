/** Files that try to crash, stall, exhaust or mislead what reads them. Every one is small: what is large is claimed. */
import { crc32 } from 'node:zlib';
import { mutate } from './random.mjs';

const text = (...lines) => Buffer.from(lines.join('\n'));
const u32 = (value) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const u64 = (value) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)));
  return bytes;
};

const SWEEP = [
  'models: [llama-nano]',
  'engines: [fake]',
  'precisions: [fp32]',
  'batchSizes: [1]',
  'promptLengths: [8]',
];
const replaced = (key, value) =>
  text(...SWEEP.map((line) => (line.startsWith(key) ? `${key}: ${value}` : line)));
const extended = (...lines) => text(...SWEEP, ...lines);

const bomb = (levels) =>
  ['a0: &a0 [x, x, x, x, x, x, x, x, x]'].concat(
    Array.from({ length: levels }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(', ')}]`),
  );

const SWEEPS = {
  'alias-bomb.yaml': text(...bomb(9)),
  'alias-bomb-in-options.yaml': extended(
    `engineOptions: {fake: {${bomb(6).join(', ').replaceAll('\n', '')}}}`,
  ),
  'alias-of-itself.yaml': text('models: &a [*a]'),
  'alias-of-nothing.yaml': replaced('models', '*missing'),
  'anchors.yaml': text(...Array.from({ length: 200 }, (_, i) => `k${i}: &a${i} x`)),
  'merge-key.yaml': extended('<<: {title: x}'),
  'brackets.yaml': text('['.repeat(10_000)),
  'braces.yaml': text('{'.repeat(10_000)),
  'nested-lists.yaml': text('- '.repeat(5000)),
  'nested-blocks.yaml': text(...Array.from({ length: 200 }, (_, i) => `${' '.repeat(i)}a:`)),
  'duplicate-key.yaml': extended('models: [phi-nano]'),
  'duplicate-entry.yaml': replaced('batchSizes', '[1, 1]'),
  'unknown-key.yaml': extended('trustRemoteCode: true'),
  'proto-key.yaml': extended('__proto__: {polluted: true}'),
  'proto-key-quoted.yaml': extended('"__proto__": {polluted: true}'),
  'proto-in-options.yaml': extended('engineOptions: {__proto__: {polluted: true}}'),
  'proto-in-engine.yaml': replaced('engines', '[{engine: fake, options: {"__proto__": {polluted: true}}}]'),
  'constructor-engine.yaml': replaced('engines', '[constructor]'),
  'constructor-options.yaml': extended('engineOptions: {constructor: {prototype: {polluted: true}}}'),
  'tag-js-function.yaml': replaced('models', "[!!js/function 'function(){}']"),
  'tag-python.yaml': replaced('models', '[!!python/object/apply:os.system ["id"]]'),
  'tag-binary.yaml': replaced('models', '[!!binary aGVsbG8=]'),
  // 4 × 40 × 4 × 1,251 × 1,251 cells, of nearly as many entries as a file may have.
  'cells-1e9.yaml': text(
    'models: [llama-nano, phi-nano, gemma-nano, mistral-nano]',
    `engines: [${Array.from({ length: 40 }, (_, i) => `{engine: fake, name: e${i}}`)}]`,
    'precisions: [fp32, fp16, bf16, int4]',
    `batchSizes: [${Array.from({ length: 1251 }, (_, i) => i + 1)}]`,
    `promptLengths: [${Array.from({ length: 1251 }, (_, i) => i + 1)}]`,
  ),
  'infinite-batch.yaml': replaced('batchSizes', '[.inf]'),
  'nan-batch.yaml': replaced('batchSizes', '[.nan]'),
  'negative-batch.yaml': replaced('batchSizes', '[-1]'),
  'huge-batch.yaml': replaced('batchSizes', '[1e300]'),
  'fraction-batch.yaml': replaced('batchSizes', '[1.5]'),
  'text-batch.yaml': replaced('batchSizes', '["1"]'),
  'hex-batch.yaml': replaced('batchSizes', '[0xFFFFFFFFFFFFFFFFFF]'),
  'huge-prompt.yaml': replaced('promptLengths', '[99999999999999999999]'),
  'spread-of-one.yaml': replaced('promptLengths', '[{length: 8, spread: 1}]'),
  'model-path-up.yaml': replaced('models', '[../../../../etc/passwd]'),
  'model-path-absolute.yaml': replaced('models', '[/etc/passwd]'),
  'model-device.yaml': replaced('models', '[/dev/zero]'),
  'model-nul.yaml': replaced('models', '["a\\0b.yaml"]'),
  'model-flag.yaml': replaced('models', '["--help"]'),
  'model-command.yaml': replaced('models', '["$(id);`id`;id"]'),
  'model-name-path.yaml': replaced(
    'models',
    '[{name: ../../x, source: {kind: architecture, seed: 1, config: {model_type: llama}}}]',
  ),
  'model-proto-type.yaml': replaced(
    'models',
    '[{name: x, source: {kind: architecture, seed: 1, config: {model_type: __proto__}}}]',
  ),
  'model-floating-revision.yaml': replaced(
    'models',
    '[{name: x, source: {kind: hub, id: a/b, revision: main}}]',
  ),
  'model-hub-path.yaml': replaced(
    'models',
    `[{name: x, source: {kind: hub, id: ../../a, revision: ${'0'.repeat(40)}}}]`,
  ),
  'variant-name-path.yaml': replaced('engines', '[{engine: fake, name: ../../x}]'),
  'yaml-1.1.yaml': text('%YAML 1.1', '---', ...SWEEP),
  'two-documents.yaml': text(...SWEEP, '---', ...SWEEP),
  'tabs.yaml': text('models:', '\t- llama-nano'),
  'nul.yaml': text('models: [a\0b]'),
  'bom-inside.yaml': text(...SWEEP, '\ufefftitle: x'),
  'not-utf8.yaml': Buffer.concat([text(...SWEEP, 'title: '), Buffer.from([0xff, 0xfe, 0x80])]),
  'utf16.yaml': Buffer.from(SWEEP.join('\n'), 'utf16le'),
  'overlong-utf8.yaml': Buffer.concat([text(...SWEEP, 'title: '), Buffer.from([0xc0, 0xaf])]),
  'empty.yaml': Buffer.alloc(0),
  'comment.yaml': text('# nothing'),
  'scalar.yaml': text('a string'),
  'list.yaml': text('- a'),
  'null.yaml': text('~'),
  'complex-key.yaml': extended('? [a, b]', ': c'),
  'long-key.yaml': extended(`${'k'.repeat(3000)}: x`),
  'escapes-in-title.yaml': extended('title: "\\u001b[2J\\0\\u202e"', 'oops: "\\e]0;x\\a"'),
  'rule-of-nothing.yaml': extended('include: [{}]'),
  'rule-leaves-nothing.yaml': extended('exclude: [{engine: fake}]'),
  'regexp-name.yaml': replaced('engines', `[{engine: fake, name: "${'a'.repeat(60)}!"}]`),
};

const SHAPE = {
  model_type: 'llama',
  vocab_size: 64,
  hidden_size: 32,
  intermediate_size: 64,
  num_hidden_layers: 1,
  num_attention_heads: 4,
  num_key_value_heads: 4,
  max_position_embeddings: 64,
};
const config = (changes) => text(JSON.stringify({ ...SHAPE, ...changes }));

const MODEL_CONFIGS = {
  'not-json.json': text('{"model_type": "llama"'),
  'empty.json': Buffer.alloc(0),
  'null.json': text('null'),
  'list.json': text('[]'),
  'number.json': text('1'),
  'nan.json': text('{"model_type": "llama", "hidden_size": NaN}'),
  'infinity.json': text('{"model_type": "llama", "hidden_size": 1e999}'),
  'deep.json': text('{"a":'.repeat(10_000)),
  'deep-closed.json': text(`${'['.repeat(10_000)}${']'.repeat(10_000)}`),
  'not-utf8.json': Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]),
  'nul.json': text('{"model_type": "lla\\u0000ma"}'),
  'proto.json': text('{"__proto__": {"polluted": true}, "model_type": "llama"}'),
  'proto-type.json': config({ model_type: '__proto__' }),
  'constructor-type.json': config({ model_type: 'constructor' }),
  'path-type.json': config({ model_type: '../../etc/passwd' }),
  'module-type.json': config({ model_type: 'os.system' }),
  'list-type.json': config({ model_type: ['llama'] }),
  'no-type.json': config({ model_type: undefined }),
  'auto-map.json': config({
    model_type: 'evil',
    auto_map: { AutoConfig: 'evil.Config', AutoModelForCausalLM: 'attacker/repo--evil.Model' },
  }),
  'negative.json': config({ hidden_size: -32 }),
  'zero-heads.json': config({ num_attention_heads: 0 }),
  'fraction.json': config({ hidden_size: 32.5 }),
  'text.json': config({ hidden_size: '32' }),
  'huge.json': config({ vocab_size: 2 ** 60 }),
  'huge-layers.json': config({ num_hidden_layers: 1e15 }),
  'heads-do-not-divide.json': config({ num_attention_heads: 5 }),
  'kv-heads-do-not-divide.json': config({ num_key_value_heads: 3 }),
  'token-id-object.json': config({ eos_token_id: { a: 1 } }),
  'token-id-fraction.json': config({ eos_token_id: 1.5 }),
  'tied-text.json': config({ tie_word_embeddings: 'yes' }),
  'quantised.json': config({ quantization_config: { quant_method: 'gptq' } }),
};

const hello = { type: 'hello', id: 0, protocol: 1, runner: 'corpus', versions: {} };
const generated = {
  type: 'generated',
  id: 0,
  prefillNs: 1,
  stepNs: [1],
  selectNs: [1, 1],
  tokens: [[1, 2]],
  recompiles: 0,
  wallNs: 9,
  peakRssBytes: null,
  peakDeviceBytes: null,
};
const json = (value) => Buffer.from(`${JSON.stringify(value)}\n`);
const raw = (value) => Buffer.from(`${value}\n`);

/** What a runner says where a `hello` is due. None of it is one. */
const REPLIES = {
  'empty-line': raw(''),
  'not-json': raw('hello'),
  null: raw('null'),
  number: raw('0'),
  string: raw('"hello"'),
  list: raw('[]'),
  object: raw('{}'),
  'cut-off': raw('{"type":"hello"'),
  'two-on-a-line': raw(JSON.stringify(hello) + JSON.stringify(hello)),
  'single-quotes': raw("{'type': 'hello'}"),
  nan: raw(JSON.stringify(generated).replace('"prefillNs":1', '"prefillNs":NaN')),
  infinity: raw(JSON.stringify(generated).replace('"prefillNs":1', '"prefillNs":1e999')),
  'negative-time': json({ ...generated, prefillNs: -1 }),
  'negative-id': json({ ...hello, id: -1 }),
  'fraction-id': json({ ...hello, id: 0.5 }),
  'text-id': json({ ...hello, id: '0' }),
  'huge-id': json({ ...hello, id: 2 ** 53 }),
  'no-id': json({ ...hello, id: undefined }),
  'other-id': json({ ...hello, id: 7 }),
  'no-type': json({ ...hello, type: undefined }),
  'proto-type': json({ ...hello, type: '__proto__' }),
  'unknown-type': json({ ...hello, type: 'goodbye' }),
  'other-type': json(generated),
  'unknown-key': json({ ...hello, bonus: true }),
  'proto-key': raw(`{"__proto__":{"polluted":true},${JSON.stringify(hello).slice(1)}`),
  'versions-list': json({ ...hello, versions: [] }),
  'versions-numbers': json({ ...hello, versions: { a: 1 } }),
  'token-negative': json({ ...generated, tokens: [[-1]] }),
  'token-text': json({ ...generated, tokens: [['1']] }),
  'tokens-flat': json({ ...generated, tokens: [1, 2] }),
  'error-unknown-code': json({ type: 'error', id: 0, code: 'whatever', message: 'x' }),
  deep: raw('['.repeat(10_000)),
  'deep-closed': raw(`${'['.repeat(10_000)}${']'.repeat(10_000)}`),
  'deep-object': raw(`${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`),
  'control-characters': raw('\u0000\u0001\u001b[2J'),
  'not-utf8': Buffer.from([0x22, 0xff, 0xfe, 0xc0, 0x80, 0x22, 0x0a]),
  'half-character': Buffer.from([0x22, 0xf0, 0x9f, 0x98, 0x0a]),
  bom: raw(`\ufeff${JSON.stringify(hello).slice(0, -1)}`),
  'carriage-return': raw('{\r'),
  'long-line': raw('x'.repeat(70_000)),
};

const cell = {
  engine: 'fake',
  model: 'm',
  precision: 'fp32',
  device: 'cpu',
  batchSize: 1,
  promptLength: { length: 8, spread: 0 },
  generate: 2,
};
const outcome = { kind: 'outcome', cell, status: 'ok', reason: null };
const session = {
  kind: 'session',
  engine: 'fake',
  model: 'm',
  precision: 'fp32',
  device: 'cpu',
  artefact: null,
  loadNs: 1,
  versions: { fake: '1' },
  effective: {},
};
const sealed = (body) => `${body},"crc32":"${crc32(body).toString(16).padStart(8, '0')}"}`;
const line = (record) => sealed(JSON.stringify(record).slice(0, -1));
const GOOD = line(outcome);

/** records.jsonl: `bad` is the last line, which is dropped; `middle-` files have a good one after it and are refused. */
const BAD_LINES = {
  'not-json': 'hello',
  empty: '',
  'no-checksum': JSON.stringify(outcome),
  'wrong-checksum': GOOD.replace('"ok"', '"oom"'),
  'checksum-of-broken-json': sealed('{"kind":"outcome"'.slice(0, -1)),
  'checksum-of-a-list': sealed('[1,2'),
  'checksum-of-nothing': sealed(''),
  'checksum-twice': sealed(GOOD.slice(0, -1)),
  'unknown-kind': line({ ...outcome, kind: 'surprise' }),
  'proto-kind': line({ ...outcome, kind: '__proto__' }),
  'unknown-status': line({ ...outcome, status: 'great' }),
  'unknown-key': line({ ...outcome, bonus: 1 }),
  'proto-key': sealed(`{"__proto__":{"polluted":true},${JSON.stringify(outcome).slice(1, -1)}`),
  'versions-of-objects': line({ ...session, versions: { a: {} } }),
  'infinite-time': sealed(JSON.stringify(session).slice(0, -1).replace('"loadNs":1', '"loadNs":1e999')),
  'negative-time': line({ ...session, loadNs: -1 }),
  'negative-batch': line({ ...outcome, cell: { ...cell, batchSize: -1 } }),
  'spread-of-one': line({ ...outcome, cell: { ...cell, promptLength: { length: 8, spread: 1 } } }),
  deep: sealed(`{"a":${'['.repeat(10_000)}`),
  'deep-closed': sealed(`{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}`),
  nul: '\u0000'.repeat(100),
  'carriage-return': `${GOOD}\r`,
};

function stores() {
  const found = {};
  for (const [name, bad] of Object.entries(BAD_LINES)) {
    found[`last-${name}.jsonl`] = text(GOOD, bad, '');
    found[`middle-${name}.jsonl`] = text(GOOD, bad, GOOD, '');
  }
  found['last-not-utf8.jsonl'] = Buffer.concat([text(GOOD, ''), Buffer.from([0xff, 0xfe, 0x0a])]);
  found['last-cut-off.jsonl'] = text(GOOD, GOOD.slice(0, -9));
  return found;
}

const safetensors = (header, data = 16, length = Buffer.byteLength(header)) =>
  Buffer.concat([u64(length), Buffer.from(header), Buffer.alloc(data)]);
const tensor = (changes) =>
  safetensors(JSON.stringify({ w: { dtype: 'F32', shape: [2, 2], data_offsets: [0, 16], ...changes } }));

const SAFETENSORS = {
  'empty.safetensors': Buffer.alloc(0),
  'seven-bytes.safetensors': Buffer.alloc(7),
  'length-beyond-file.safetensors': safetensors('{}', 0, 1000),
  'length-2-to-63.safetensors': safetensors('{}', 0, 2n ** 63n),
  'length-all-ones.safetensors': safetensors('{}', 0, -1n),
  'length-zero.safetensors': safetensors('', 0),
  'length-100-megabytes.safetensors': safetensors('{}', 0, 100_000_001n),
  'not-json.safetensors': safetensors('{"w"', 0),
  'list.safetensors': safetensors('[]', 0),
  'deep.safetensors': safetensors('['.repeat(10_000), 0),
  'not-utf8.safetensors': Buffer.concat([u64(4), Buffer.from([0x7b, 0xff, 0xfe, 0x7d])]),
  'negative-offset.safetensors': tensor({ data_offsets: [-16, 0] }),
  'swapped-offsets.safetensors': tensor({ data_offsets: [16, 0] }),
  'offset-beyond-file.safetensors': tensor({ data_offsets: [0, 1024], shape: [256] }),
  'offset-2-to-63.safetensors': tensor({ data_offsets: [0, 2 ** 63] }),
  'shape-overflow.safetensors': tensor({ shape: [2 ** 32, 2 ** 32, 2 ** 32] }),
  'shape-negative.safetensors': tensor({ shape: [-2, -2] }),
  'shape-does-not-fit.safetensors': tensor({ shape: [3, 3] }),
  'unknown-type.safetensors': tensor({ dtype: 'PICKLE' }),
  'missing-shape.safetensors': tensor({ shape: undefined }),
  'overlap.safetensors': safetensors(
    '{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},"b":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}',
  ),
  'hole.safetensors': safetensors('{"a":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}'),
  'pickle.safetensors': Buffer.from("\x80\x04cposix\nsystem\n(S'touch polluted'\ntR.", 'latin1'),
};

const string = (value) => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);
const [UINT32, STRING, ARRAY] = [4, 8, 9];
const gguf = (...parts) => Buffer.concat([Buffer.from('GGUF'), ...parts]);
const head = (tensors, pairs, version = 3) => Buffer.concat([u32(version), u64(tensors), u64(pairs)]);
const architecture = Buffer.concat([string('general.architecture'), u32(STRING), string('llama')]);
const info = (name, dims, type, offset) =>
  Buffer.concat([string(name), u32(dims.length), ...dims.map((dim) => u64(dim)), u32(type), u64(offset)]);

const GGUF = {
  'empty.gguf': Buffer.alloc(0),
  'magic-alone.gguf': gguf(),
  'other-magic.gguf': Buffer.concat([Buffer.from('GGML'), head(0, 0)]),
  'version-0.gguf': gguf(head(0, 0, 0)),
  'version-9999.gguf': gguf(head(0, 0, 9999)),
  'big-endian.gguf': gguf(Buffer.from([0, 0, 0, 3]), u64(0), u64(0)),
  'no-tensors.gguf': gguf(head(0, 1), architecture),
  'tensors-2-to-63.gguf': gguf(head(2n ** 63n, 0)),
  'tensors-all-ones.gguf': gguf(head(-1n, 0)),
  'pairs-2-to-63.gguf': gguf(head(0, 2n ** 63n)),
  'pairs-2-to-40.gguf': gguf(head(0, 2n ** 40n), architecture),
  'key-2-to-63.gguf': gguf(head(0, 1), u64(2n ** 63n), Buffer.from('k')),
  'key-empty.gguf': gguf(head(0, 1), string(''), u32(UINT32), u32(1)),
  'key-twice.gguf': gguf(head(0, 2), architecture, architecture),
  'text-2-to-62.gguf': gguf(head(0, 1), string('general.architecture'), u32(STRING), u64(2n ** 62n)),
  'unknown-value-type.gguf': gguf(head(0, 1), string('k'), u32(99), u32(1)),
  'array-2-to-62.gguf': gguf(head(0, 1), string('k'), u32(ARRAY), u32(UINT32), u64(2n ** 62n)),
  'array-of-texts-2-to-40.gguf': gguf(head(0, 1), string('k'), u32(ARRAY), u32(STRING), u64(2n ** 40n)),
  'array-of-arrays.gguf': gguf(head(0, 1), string('k'), u32(ARRAY), u32(ARRAY), u64(1)),
  'alignment-0.gguf': gguf(head(0, 1), string('general.alignment'), u32(UINT32), u32(0)),
  'alignment-3.gguf': gguf(head(0, 1), string('general.alignment'), u32(UINT32), u32(3)),
  'dimensions-99.gguf': gguf(head(1, 1), architecture, info('w', Array(99).fill(1), 0, 0)),
  'dimension-overflow.gguf': gguf(head(1, 1), architecture, info('w', [2n ** 40n, 2n ** 40n], 0, 0)),
  'dimension-0.gguf': gguf(head(1, 1), architecture, info('w', [0], 0, 0)),
  'unknown-tensor-type.gguf': gguf(head(1, 1), architecture, info('w', [4], 4096, 0)),
  'offset-beyond-file.gguf': gguf(head(1, 1), architecture, info('w', [4], 0, 2n ** 40n)),
  'offset-unaligned.gguf': gguf(head(1, 1), architecture, info('w', [4], 0, 7), Buffer.alloc(64)),
  'tensor-twice.gguf': gguf(head(2, 1), architecture, info('w', [4], 0, 0), info('w', [4], 0, 32)),
  'long-tensor-name.gguf': gguf(head(1, 1), architecture, info('n'.repeat(5000), [4], 0, 0)),
  'architecture-path.gguf': gguf(head(0, 1), string('general.architecture'), u32(STRING), string('../../x')),
};

const varint = (value) => {
  const bytes = [];
  let rest = BigInt(value);
  do {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Buffer.from(bytes);
};
const field = (number, ...parts) => {
  const body = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
  return Buffer.concat([varint((number << 3) | 2), varint(body.length), body]);
};
const node = field(1, field(4, 'Identity'), field(1, 'x'), field(2, 'y'));
const external = (location) =>
  field(5, field(8, 'w'), field(13, field(1, 'location'), field(2, location)), varint(14 << 3), varint(1));
const nested = (depth) =>
  Array.from({ length: depth }).reduce((inner) => field(1, field(4, 'If'), field(5, field(6, inner))), node);

const ONNX = {
  'empty.onnx': Buffer.alloc(0),
  'text.onnx': text('this is no model'),
  'zip.onnx': Buffer.from([0x50, 0x4b, 0x03, 0x04, 0, 0, 0, 0]),
  'no-graph.onnx': field(2, 'producer'),
  'no-nodes.onnx': field(7, field(2, 'graph')),
  'endless-number.onnx': Buffer.alloc(64, 0xff),
  'field-0.onnx': Buffer.from([0x00, 0x01]),
  'group.onnx': Buffer.from([0x3b, 0x3c]),
  'length-beyond-file.onnx': Buffer.concat([varint((7 << 3) | 2), varint(2n ** 40n)]),
  'length-2-to-63.onnx': Buffer.concat([varint((7 << 3) | 2), varint(2n ** 63n)]),
  'length-beyond-message.onnx': field(7, varint((1 << 3) | 2), varint(99)),
  'deep.onnx': field(7, nested(200)),
  'operator-not-utf8.onnx': field(7, field(1, field(4, Buffer.from([0xff, 0xfe])))),
  'operator-long.onnx': field(7, field(1, field(4, 'O'.repeat(10_000)))),
  'operator-proto.onnx': field(7, field(1, field(4, '__proto__'))),
  'external-up.onnx': field(7, node, external('../../../../etc/passwd')),
  'external-absolute.onnx': field(7, node, external('/etc/passwd')),
  'external-windows.onnx': field(7, node, external('..\\..\\secret')),
  'external-nul.onnx': field(7, node, external('w.data\0/etc/passwd')),
  'external-empty.onnx': field(7, node, external('')),
  'external-folder.onnx': field(7, node, external('.')),
  'external-missing.onnx': field(7, node, external('absent.data')),
  'external-device.onnx': field(7, node, external('/dev/zero')),
  'external-in-subgraph.onnx': field(
    7,
    field(1, field(4, 'If'), field(5, field(6, node, external('../outside')))),
  ),
  'external-not-utf8.onnx': field(7, node, external(Buffer.from([0x2e, 0x2e, 0x2f, 0xff]))),
};

/** Each kind again with a few bytes changed, so that not every file is one that somebody thought of. */
const CHANGED = 6;
const prefixed = (folder, files) =>
  Object.entries(files).map(([name, bytes]) => [`${folder}/${name}`, bytes]);

/** @returns {[path: string, bytes: Buffer][]} by their path below the corpus */
export function files(random) {
  const kinds = {
    sweeps: SWEEPS,
    'model-configs': MODEL_CONFIGS,
    replies: Object.fromEntries(Object.entries(REPLIES).map(([name, bytes]) => [`${name}.bin`, bytes])),
    stores: stores(),
    safetensors: SAFETENSORS,
    gguf: GGUF,
    onnx: ONNX,
  };
  const seeds = {
    'model-configs': ['json', config({})],
    safetensors: ['safetensors', tensor({})],
    gguf: ['gguf', gguf(head(1, 1), architecture, info('w', [4], 0, 0), Buffer.alloc(96))],
    onnx: ['onnx', field(7, node, external('w.data'), nested(3))],
  };
  const changed = Object.entries(seeds).flatMap(([folder, [ending, bytes]]) =>
    Array.from({ length: CHANGED }, (_, i) => [
      `${folder}/changed-${i + 1}.${ending}`,
      mutate(random, bytes),
    ]),
  );
  return [...Object.entries(kinds).flatMap(([folder, own]) => prefixed(folder, own)), ...changed];
}
