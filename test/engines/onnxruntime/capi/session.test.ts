import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createBinding } from '../../../../src/engines/onnxruntime/capi/binding.ts';
import { type OrtLibrary, openLibrary } from '../../../../src/engines/onnxruntime/capi/library.ts';
import { packagedLibrary } from '../../../../src/engines/onnxruntime/capi/location.ts';
import { createSession, type SessionSettings } from '../../../../src/engines/onnxruntime/capi/session.ts';
import { allocateTensor, tensorOver } from '../../../../src/engines/onnxruntime/capi/tensor.ts';
import { incrementModel } from './increment-model.ts';

let dir: string;
let library: OrtLibrary;
let path: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'ortbench-session-'));
  path = join(dir, 'increment.onnx');
  writeFileSync(path, incrementModel());
  library = await openLibrary(packagedLibrary().path);
});
afterAll(() => rmSync(dir, { recursive: true }));

const SETTINGS: SessionSettings = {
  intraOpThreads: 1,
  interOpThreads: 1,
  graphOptimizationLevel: 'all',
  config: {},
  provider: null,
};

test('describes the inputs and outputs, and where each node runs', () => {
  const session = createSession(library, path, SETTINGS);
  expect(session.inputs).toEqual([{ name: 'x', elementType: 'float32', dimensions: [-1] }]);
  expect(session.outputs).toEqual([{ name: 'y', elementType: 'float32', dimensions: [-1] }]);
  expect(session.placement).toEqual(new Map([['CPUExecutionProvider', new Map([['Add', 1]])]]));
  session.release();
});

test('a binding reads and writes the memory it was given, and its input can be bound anew', () => {
  const session = createSession(library, path, SETTINGS);
  const source = Float32Array.of(1, 2, 3, 4);
  const target = new Float32Array(new ArrayBuffer(16));
  const output = tensorOver(library, target.buffer, 'float32', [4]);
  const binding = createBinding(library, session);
  const bind = (length: number) => {
    const input = tensorOver(library, source.buffer, 'float32', [length]);
    binding.bindInput('x', input);
    input.release();
  };
  bind(4);
  binding.bindOutput('y', output);
  binding.run();
  expect([...target]).toEqual([2, 3, 4, 5]);
  source.fill(9);
  binding.run();
  expect([...target]).toEqual([10, 10, 10, 10]);
  const shorter = tensorOver(library, target.buffer, 'float32', [2]);
  binding.bindOutput('y', shorter);
  bind(2);
  source.fill(0);
  binding.run();
  expect([...target]).toEqual([1, 1, 10, 10]);
  for (const resource of [binding, shorter, output, session]) resource.release();
});

test('an output may be its own input: no copy is made between them', () => {
  const session = createSession(library, path, SETTINGS);
  const memory = new Float32Array(new ArrayBuffer(12));
  const tensor = tensorOver(library, memory.buffer, 'float32', [3]);
  const binding = createBinding(library, session);
  binding.bindInput('x', tensor);
  binding.bindOutput('y', tensor);
  for (let i = 0; i < 5; i++) binding.run();
  expect([...memory]).toEqual([5, 5, 5]);
  for (const resource of [binding, tensor, session]) resource.release();
});

test('memory that ONNX Runtime allocates can be cleared, to the last byte', () => {
  const bytes = 3 * 1024 * 1024 + 5 * 4;
  const tensor = allocateTensor(library, 'float32', [bytes / 4]);
  const session = createSession(library, path, SETTINGS);
  const target = new Float32Array(new ArrayBuffer(bytes)).fill(7);
  const output = tensorOver(library, target.buffer, 'float32', [bytes / 4]);
  const binding = createBinding(library, session);
  binding.bindInput('x', tensor);
  binding.bindOutput('y', tensor);
  library.zero(
    library.output('test', (out) => library.calls.GetTensorMutableData(tensor.handle, out)),
    bytes,
  );
  binding.run();
  binding.bindOutput('y', output);
  binding.run();
  expect(target.every((value) => value === 2)).toBe(true);
  for (const resource of [binding, output, tensor, session]) resource.release();
});

test.each<[string, () => unknown, RegExp]>([
  ['a missing model', () => createSession(library, join(dir, 'absent.onnx'), SETTINGS), /absent\.onnx/],
  [
    'a malformed model',
    () => {
      writeFileSync(join(dir, 'malformed.onnx'), incrementModel().subarray(0, 40));
      return createSession(library, join(dir, 'malformed.onnx'), SETTINGS);
    },
    /malformed\.onnx/,
  ],
  [
    'a config key too long',
    () => createSession(library, path, { ...SETTINGS, config: { ['k'.repeat(4096)]: '1' } }),
    /setting k+ to 1/,
  ],
  ['an allocation beyond all memory', () => allocateTensor(library, 'float32', [2 ** 50]), /allocating/],
])('%s is an EngineError with the message of ONNX Runtime', (_name, act, message) => {
  expect(act).toThrow(
    expect.objectContaining({ name: 'EngineError', message: expect.stringMatching(message) }),
  );
});

test('a wrong name, type or shape fails the call and leaves the session usable', () => {
  const session = createSession(library, path, SETTINGS);
  const memory = new ArrayBuffer(16);
  const spoilt = createBinding(library, session);
  const binding = createBinding(library, session);
  const floats = tensorOver(library, memory, 'float32', [4]);
  const integers = tensorOver(library, memory, 'int64', [2]);
  const short = tensorOver(library, memory, 'float32', [3]);
  expect(() => spoilt.bindInput('absent', floats)).toThrow(/binding the input absent/);
  expect(() => spoilt.run()).toThrow(/running the model/);
  binding.bindOutput('y', floats);
  binding.bindInput('x', integers);
  expect(() => binding.run()).toThrow(/running the model.*type/s);
  binding.bindInput('x', floats);
  binding.bindOutput('y', short);
  expect(() => binding.run()).toThrow(/running the model/);
  binding.bindOutput('y', floats);
  binding.run();
  expect([...new Float32Array(memory)]).toEqual([1, 1, 1, 1]);
  expect(() => tensorOver(library, memory, 'float32', [5])).toThrow(RangeError);
  for (const resource of [spoilt, binding, floats, integers, short, session]) resource.release();
});

test('nothing is left behind by sessions, bindings, tensors and errors', () => {
  const work = () => {
    const session = createSession(library, path, { ...SETTINGS, intraOpThreads: 2 });
    const binding = createBinding(library, session);
    const tensor = allocateTensor(library, 'float32', [250_000]);
    binding.bindInput('x', tensor);
    binding.bindOutput('y', tensor);
    binding.run();
    expect(() => binding.bindInput('absent', tensor)).toThrow(/absent/);
    for (const resource of [binding, tensor, session]) resource.release();
  };
  for (let i = 0; i < 50; i++) work();
  const before = process.memoryUsage.rss();
  for (let i = 0; i < 300; i++) work();
  // A leak of the tensors alone would be 300 MB, one of the sessions and their threads far more.
  expect(process.memoryUsage.rss() - before).toBeLessThan(40e6);
});
