import { expect, test } from 'vitest';
import { onnxruntimeJs } from '../../../src/engines/onnxruntime-js/engine.ts';

const nativeLibraries = (): string[] => {
  // Without this the report resolves the host names of open sockets; the type lacks it.
  Object.assign(process.report, { excludeNetwork: true });
  const { sharedObjects } = process.report.getReport() as unknown as { sharedObjects: string[] };
  return sharedObjects.filter((file) => /onnxruntime/.test(file));
};

test('neither importing nor probing loads the native library into this process', async () => {
  expect(await onnxruntimeJs.probe('cpu', {})).toMatchObject({
    available: true,
    versions: { 'onnxruntime-node': expect.stringMatching(/^1\.\d+/) },
  });
  expect(nativeLibraries()).toEqual([]);
});

test('a device without a path is unavailable, with what to do', async () => {
  expect(await onnxruntimeJs.probe('cuda', {})).toMatchObject({
    available: false,
    reason: expect.stringContaining('cuda'),
    mend: expect.stringMatching(/./),
  });
});

test('options are strict and complete themselves', () => {
  expect(onnxruntimeJs.options.parse({})).toEqual({
    outputs: 'preallocated',
    graphOptimizationLevel: 'all',
    allowSpinning: true,
    interOpThreads: 1,
    sessionConfig: {},
  });
  expect(onnxruntimeJs.options.safeParse({ libraryPath: '/lib' }).success).toBe(false);
  expect(onnxruntimeJs.options.safeParse({ outputs: 'copied' }).success).toBe(false);
});
