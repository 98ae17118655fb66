import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { packagedLibrary } from '../../../src/engines/onnxruntime/capi/location.ts';
import { packageRoot } from '../../../src/files/package-root.ts';
import { writeTinyDecoder } from './tinydecoder.ts';

/** A network that leads nowhere: what is shown to be reported without our switch must not really be. */
const NOWHERE = ['unshare', '--net', '--map-root-user'] as const;
const canIsolate =
  process.platform === 'linux' && spawnSync(NOWHERE[0], [...NOWHERE.slice(1), 'true']).status === 0;
/** Assignments to a copy of the environment never reach the library. */
const OUT_OF_REACH = ['--import', 'data:text/javascript,process.env = { ...process.env }'];

const compiled = (module: string) => JSON.stringify(pathToFileURL(join(packageRoot, 'dist', module)).href);

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'ortbench-telemetry-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** Files that a program leaves in its user's home and temporary folder. CI would switch telemetry off by itself. */
function leftBehind(program: string, node: readonly string[] = []): string[] {
  const args = [...NOWHERE.slice(1), process.execPath, ...node, '--input-type=module', '--eval', program];
  execFileSync(NOWHERE[0], args, { env: { PATH: process.env.PATH, HOME: home, TMPDIR: home } });
  return readdirSync(home, { recursive: true, encoding: 'utf8' });
}

describe.skipIf(!canIsolate)('ONNX Runtime reports nothing', () => {
  test.each([
    [
      'through its C API',
      () => `
        const { openLibrary } = await import(${compiled('engines/onnxruntime/capi/library.js')});
        await openLibrary(${JSON.stringify(packagedLibrary().path)});`,
    ],
    [
      'through onnxruntime-node',
      () => {
        const dir = mkdtempSync(join(tmpdir(), 'ortbench-telemetry-model-'));
        writeTinyDecoder(dir);
        return `
          const { importOnnxRuntimeNode } = await import(${compiled('engines/onnxruntime-js/binding.js')});
          const ort = await importOnnxRuntimeNode();
          await ort.InferenceSession.create(${JSON.stringify(join(dir, 'model.onnx'))});`;
      },
    ],
  ])('%s', (_, program) => {
    const code = program();
    expect(leftBehind(code)).toEqual([]);
    expect(leftBehind(code, OUT_OF_REACH).join()).toContain('deviceid');
  });
});
