import { expect, test } from 'vitest';
import { onnxruntime } from '../../../src/engines/onnxruntime/engine.ts';

const loadedLibraries = (): string[] => {
  // Without this the report resolves the host names of open sockets; the type lacks it.
  Object.assign(process.report, { excludeNetwork: true });
  return (process.report.getReport() as unknown as { sharedObjects: string[] }).sharedObjects;
};
const native = (file: string) => /koffi|onnxruntime\.(so|dll|1\.dylib)|libonnxruntime/.test(file);

test('importing the engine loads no native library; the probe does, and tells the versions', async () => {
  expect(loadedLibraries().filter(native)).toEqual([]);
  expect(await onnxruntime.probe('cpu', {})).toMatchObject({
    available: true,
    versions: { onnxruntime: expect.stringMatching(/^1\.\d+/), koffi: expect.any(String) },
  });
  expect(loadedLibraries().filter(native)).not.toEqual([]);
});

test('what a device lacks is named with what to do: the packaged library comes without the CUDA provider', async () => {
  expect(await onnxruntime.probe('cuda', {})).toMatchObject({
    available: false,
    reason: expect.stringContaining('libonnxruntime_providers_cuda'),
    mend: expect.stringContaining('install.js'),
  });
});

test('options are strict and complete themselves', () => {
  expect(onnxruntime.options.parse({})).toEqual({
    fp16OnCpu: 'refuse',
    graphOptimizationLevel: 'all',
    allowSpinning: true,
    interOpThreads: 1,
    providerOptions: {},
    sessionConfig: {},
  });
  expect(() => onnxruntime.options.parse({ graphOptimisationLevel: 'all' })).toThrow(
    /graphOptimisationLevel/,
  );
  expect(() => onnxruntime.options.parse({ sessionConfig: { a: 1 } })).toThrow(/sessionConfig/);
});
