import { existsSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { ProfileFolder, readProfile } from '../../../src/engines/onnxruntime/profile.ts';

const kernel = (op_name: string, inputs: string[], outputs: string[], provider = 'CPUExecutionProvider') => ({
  cat: 'Node',
  name: `/layer/${op_name}_kernel_time`,
  args: {
    op_name,
    provider,
    input_type_shape: inputs.map((type) => ({ [type]: [1, 2] })),
    output_type_shape: outputs.map((type) => ({ [type]: [1, 2] })),
  },
});

test('counts nodes by provider, operator and the floating-point types of their inputs', () => {
  const text = JSON.stringify([
    { cat: 'Session', name: 'model_run', args: {} },
    { ...kernel('MatMul', ['float'], ['float']), name: '/layer/MatMul_fence_before' },
    kernel('MatMul', ['float', 'float'], ['float']),
    kernel('MatMul', ['float16', 'float16'], ['float16']),
    kernel('MatMul', ['float', 'float'], ['float']),
    kernel('MatMulNBits', ['float', 'uint8', 'float'], ['float']),
    kernel('Cast', ['float16'], ['float']),
    kernel('Gather', ['int64', 'float16'], ['float16'], 'WebGpuExecutionProvider'),
    kernel('Cast', ['int64'], ['float']),
    kernel('Shape', ['int64'], ['int64']),
  ]);
  const cpu = 'CPUExecutionProvider';
  expect(readProfile(text)).toEqual([
    { provider: cpu, operator: 'MatMul', type: 'float32', count: 2 },
    { provider: cpu, operator: 'MatMul', type: 'float16', count: 1 },
    { provider: cpu, operator: 'MatMulNBits', type: 'float32', count: 1 },
    { provider: cpu, operator: 'Cast', type: 'float16', count: 1 },
    { provider: 'WebGpuExecutionProvider', operator: 'Gather', type: 'float16', count: 1 },
    { provider: cpu, operator: 'Cast', type: 'float32', count: 1 },
    { provider: cpu, operator: 'Shape', type: 'int64', count: 1 },
  ]);
});

test.each([
  ['[{"cat": "Node"', /no JSON/],
  ['{"traceEvents": []}', /not understood/],
])('refuses %s', (text, message) => {
  expect(() => readProfile(text)).toThrow(
    expect.objectContaining({ name: 'EngineError', code: 'failed', message: expect.stringMatching(message) }),
  );
});

test('a folder holds one profile, and goes', () => {
  const folder = new ProfileFolder();
  expect(() => folder.read()).toThrow('wrote 0 profiles, expected one');
  writeFileSync(`${folder.prefix}_1.json`, '[]');
  expect(folder.read()).toEqual([]);
  writeFileSync(`${folder.prefix}_2.json`, '[]');
  expect(() => folder.read()).toThrow('wrote 2 profiles, expected one');
  folder.remove();
  expect(existsSync(dirname(folder.prefix))).toBe(false);
});
