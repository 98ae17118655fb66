import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { apiVersionOf, openLibrary } from '../../../../src/engines/onnxruntime/capi/library.ts';
import { packagedLibrary } from '../../../../src/engines/onnxruntime/capi/location.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'ortbench-library-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

const unavailable = (message: RegExp) =>
  expect.objectContaining({ code: 'unavailable', message: expect.stringMatching(message) });

test('the packaged library loads, is the release of its package, and is loaded once', async () => {
  const { path, packageVersion } = packagedLibrary();
  const library = await openLibrary(path);
  expect(library.version).toBe(packageVersion);
  expect(library.build).toContain('build type=');
  expect(library.env).not.toBe(0n);
  expect(await openLibrary(path)).toBe(library);
});

test('the library stays loaded when everything that can be collected is', async () => {
  const { path } = packagedLibrary();
  const library = await openLibrary(path);
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let i = 0; i < 10; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(library.calls.GetBuildInfoString()).toBe(library.build);
});

test('a platform that the package has no library for is named, with the way out', () => {
  expect(() => packagedLibrary('darwin', 'x64')).toThrow(unavailable(/darwin-x64.*libraryPath/));
  expect(() => packagedLibrary('freebsd', 'x64')).toThrow(unavailable(/freebsd-x64/));
});

test('a missing file, one that is no library, and a library that is another are told apart', async () => {
  await expect(openLibrary(join(dir, 'absent.so'))).rejects.toEqual(unavailable(/there is no .*absent\.so/));
  const text = join(dir, 'text.so');
  writeFileSync(text, 'not a library');
  await expect(openLibrary(text)).rejects.toEqual(unavailable(/text\.so is no ONNX Runtime library/));
  if (process.platform === 'linux') {
    const other = process.report.getReport() as unknown as { sharedObjects: string[] };
    const libc = other.sharedObjects.find((file) => /\/(libc\.so|libc-|ld-musl)/.test(file))!;
    await expect(openLibrary(libc)).rejects.toEqual(unavailable(/is no ONNX Runtime library.*OrtGetApiBase/));
  }
});

test('releases before 1.17 and version strings of another kind are refused', () => {
  expect(apiVersionOf('1.17.3')).toBe(17);
  expect(apiVersionOf('1.24.0')).toBe(24);
  expect(apiVersionOf('1.99.0-dev')).toBe(24);
  for (const release of ['1.16.3', '2.0.0', '1.x', '']) {
    expect(() => apiVersionOf(release)).toThrow(unavailable(/does not provide version 17 of its C API/));
  }
});
