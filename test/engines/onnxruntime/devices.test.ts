import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLibrary } from '../../../src/engines/onnxruntime/capi/library.ts';
import {
  locateLibrary,
  missingProviderFile,
  packagedLibrary,
} from '../../../src/engines/onnxruntime/capi/location.ts';
import { availableProviders } from '../../../src/engines/onnxruntime/capi/providers.ts';
import { engineErrorCode } from '../../../src/engines/onnxruntime/capi/status.ts';
import { stringArray } from '../../../src/engines/onnxruntime/capi/strings.ts';
import { refuseFallback } from '../../../src/engines/onnxruntime/fallback.ts';
import { load } from '../../../src/engines/onnxruntime/load.ts';
import { ortOptionsSchema } from '../../../src/engines/onnxruntime/options.ts';
import { lackingProvider, probe } from '../../../src/engines/onnxruntime/probe.ts';
import { refusedProvider, shorten } from '../../../src/engines/onnxruntime/provider-check.ts';
import { findDevices } from '../../../src/machine/devices/find.ts';
import type { LoadRequest } from '../../../src/schema/protocol.ts';
import { referenceLogits, referenceTokens, VOCAB, writeTinyDecoder } from './tinydecoder.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'ortbench-ort-devices-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

describe('providers of the library', () => {
  it('are those of the packaged one: WebGPU and, as a file of its own, CUDA', async () => {
    const { path } = packagedLibrary();
    const library = await openLibrary(path);
    const providers = availableProviders(library);
    expect(providers).toContain('CPUExecutionProvider');
    if (process.platform === 'linux' && process.arch === 'x64') {
      expect(providers).toEqual(expect.arrayContaining(['WebGpuExecutionProvider', 'CUDAExecutionProvider']));
    }
    expect(lackingProvider('webgpu', library, {}, providers, missingProviderFile)).toEqual([]);
  });

  it('are missing by name, or by the file that holds them', () => {
    const library = { version: '1.30.0', path: join(dir, 'libonnxruntime.so.1') };
    const [absent] = lackingProvider(
      'cuda',
      library,
      { libraryDir: dir },
      ['CPUExecutionProvider'],
      () => null,
    );
    expect(absent!.reason).toBe(
      'ONNX Runtime 1.30.0 was built without CUDAExecutionProvider (it has CPUExecutionProvider)',
    );
    const [fileless] = lackingProvider('cuda', library, {}, ['CUDAExecutionProvider'], missingProviderFile);
    expect(fileless!.reason).toMatch(/of onnxruntime-node has no .*providers_cuda/);
    expect(fileless!.mend).toMatch(/install\.js --onnxruntime-node-install=cuda12/);
    const both = () => null;
    expect(lackingProvider('cuda', library, {}, ['CUDAExecutionProvider'], both)).toEqual([]);
  });

  it.runIf(process.platform === 'linux')('are looked for beside the library', () => {
    const library = join(dir, 'libonnxruntime.so.1.30.0');
    expect(missingProviderFile(library, 'cuda')).toBe('libonnxruntime_providers_cuda.so');
    writeFileSync(join(dir, 'libonnxruntime_providers_cuda.so'), '');
    expect(missingProviderFile(library, 'cuda')).toBeNull();
    expect(() => locateLibrary({ libraryDir: dir })).toThrow(/no ONNX Runtime library in libraryDir/);
    writeFileSync(library, '');
    expect(locateLibrary({ libraryDir: dir })).toEqual({ path: library, packageVersion: null });
    expect(() => locateLibrary({ libraryDir: join(dir, 'nowhere') })).toThrow(/ENOENT/);
  });
});

describe('what a provider leaves to the CPU', () => {
  const nodes = (entries: Record<string, Record<string, number>>) =>
    new Map(Object.entries(entries).map(([name, types]) => [name, new Map(Object.entries(types))]));
  const CUDA = 'CUDAExecutionProvider';

  it('may be arithmetic on shapes and lengths', () => {
    expect(() => refuseFallback(null, CUDA)).not.toThrow();
    expect(() =>
      refuseFallback(
        nodes({ [CUDA]: { MatMul: 9 }, CPUExecutionProvider: { Shape: 1, Gather: 1, ReduceSum: 1 } }),
        CUDA,
      ),
    ).not.toThrow();
  });

  it('is refused when it is work of the model, or everything', () => {
    expect(() =>
      refuseFallback(
        nodes({ [CUDA]: { MatMul: 9 }, CPUExecutionProvider: { GroupQueryAttention: 2 } }),
        CUDA,
      ),
    ).toThrow(/no kernel for GroupQueryAttention ×2/);
    expect(() => refuseFallback(nodes({ CPUExecutionProvider: { MatMul: 9 } }), CUDA)).toThrow(
      /gave no node to CUDAExecutionProvider/,
    );
  });

  it('is told apart from a type that the device lacks', () => {
    expect(engineErrorCode(1, 'Program Gather requires f16 but the device does not support it.')).toBe(
      'unsupported',
    );
    expect(engineErrorCode(1, 'CUDA failure 2: out of memory')).toBe('oom');
  });
});

it('passes strings as C has them', () => {
  const { pointers, bytes } = stringArray(['device_id', '', 'é'], () => 1000n);
  expect(Buffer.from(bytes).toString('utf8')).toBe('device_id\0\0é\0');
  expect([...pointers]).toEqual([1000n, 1010n, 1011n]);
});

it('takes one name of a library', () => {
  expect(ortOptionsSchema.safeParse({ libraryDir: '/a', libraryPath: '/b' }).success).toBe(false);
});

describe('a provider that refuses', () => {
  it('says why without where in its source', () => {
    expect(
      shorten('failed while adding X: /a/b.cc:136 x::Y(const Z&)::<lambda()> r == S was false. No adapters'),
    ).toBe('failed while adding X: No adapters');
    const bridge =
      'ProviderLibrary::Get() [ONNXRuntimeError] : 1 : FAIL : Failed to load library /a/b/libx.so';
    expect(
      shorten(`failed while setting X: /s/p.cc:1988 ${bridge} with error: libcublasLt.so.13: \n gone`),
    ).toBe('failed while setting X: Failed to load library libx.so with error: libcublasLt.so.13: gone');
  });

  it('is asked in a process of its own', async () => {
    const lack = await refusedProvider(packagedLibrary().path, 'webgpu', { deviceId: 'no number' });
    expect(lack!.reason).toMatch(/\w{5}/);
  });
});

// On a software renderer too: docs/devices.md says how to get one. What the probe refuses it says itself.
const probed = await probe('webgpu', {});
const devices = probed.available ? await findDevices('webgpu') : { missing: probed.reason, mend: '' };
const webgpu = 'devices' in devices ? devices.devices[0]! : null;
describe.runIf(webgpu !== null)(`WebGPU on ${webgpu?.name}`, () => {
  const request = (artefactDir: string): LoadRequest => ({
    model: 'tiny',
    artefactDir,
    precision: 'fp32',
    device: 'webgpu',
    threads: 1,
    maxBatchSize: 4,
    maxSequenceLength: 64,
    options: {},
  });
  const open = async (name: string) => {
    const artefactDir = join(dir, name);
    writeTinyDecoder(artefactDir, {});
    return load(request(artefactDir));
  };
  const rows = (prompts: number[][]) => prompts.map((row) => Int32Array.from(row));
  const argmax = (row: Float32Array) => row.indexOf(row.reduce((a, b) => Math.max(a, b)));

  it('keeps the KV cache on the device and gives the logits of the whole sequence', async () => {
    const { decoder, loaded } = await open('single');
    expect(loaded.effective).toMatchObject({
      kvLocation: expect.stringMatching(/^device/),
      logitsLocation: 'host',
      provider: expect.stringContaining('WebGpuExecutionProvider'),
      deviceName: webgpu!.name,
    });
    const sequence = [3, 9, 27, 1, 14];
    await decoder.begin(rows([sequence]), 40);
    let logits = await decoder.prefill();
    for (let k = 0; k < 6; k++) {
      const expected = referenceLogits(sequence);
      for (let v = 0; v < VOCAB; v++) expect(logits[v]).toBeCloseTo(expected[v]!, 3);
      sequence.push((k * 5 + 2) % VOCAB);
      logits = await decoder.step(Int32Array.of(sequence.at(-1)!));
    }
    await decoder.close();
  }, 60_000);

  it('answers a ragged batch as each alone, and is untouched by the runs before', async () => {
    const { decoder } = await open('ragged');
    const ragged = [[4, 17], [3, 9, 27, 1, 14, 6, 2], [21]];
    const uniform = [
      [8, 8, 2],
      [1, 2, 3],
    ];
    for (const prompts of [ragged, uniform, ragged]) {
      await decoder.begin(rows(prompts), 20);
      let logits = await decoder.prefill();
      const chosen: number[][] = prompts.map(() => []);
      for (let k = 0; k < 5; k++) {
        const ids = Int32Array.from(prompts, (_, b) => argmax(logits.subarray(b * VOCAB, (b + 1) * VOCAB)));
        ids.forEach((id, b) => {
          chosen[b]!.push(id);
        });
        logits = await decoder.step(ids);
      }
      expect(chosen).toEqual(prompts.map((prompt) => referenceTokens(prompt, 5)));
    }
    await decoder.close();
  }, 60_000);
});
