import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { EngineError } from '../../../errors.ts';

/** The file of the library inside the package, by platform. */
const LIBRARY_FILES: Partial<Record<NodeJS.Platform, string>> = {
  linux: 'libonnxruntime.so.1',
  darwin: 'libonnxruntime.1.dylib',
  win32: 'onnxruntime.dll',
};

export interface LibraryLocation {
  readonly path: string;
  /** Version of the npm package that ships it. */
  readonly packageVersion: string;
}

/**
 * The ONNX Runtime library that onnxruntime-node ships for this platform: only its file is used, the package's own
 * binding is never loaded. Throws EngineError('unavailable').
 */
export function packagedLibrary(
  platform: NodeJS.Platform = process.platform,
  arch: NodeJS.Architecture = process.arch,
): LibraryLocation {
  const manifest = packageManifest();
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  const file = LIBRARY_FILES[platform];
  const path = file && join(dirname(manifest), 'bin', 'napi-v6', platform, arch, file);
  if (!path || !existsSync(path)) {
    throw new EngineError(
      'unavailable',
      `onnxruntime-node ${version} ships no ONNX Runtime library for ${platform}-${arch}; ` +
        'the engine option libraryPath can name one',
    );
  }
  return { path, packageVersion: version };
}

function packageManifest(): string {
  try {
    return createRequire(import.meta.url).resolve('onnxruntime-node/package.json');
  } catch (cause) {
    throw new EngineError('unavailable', 'the npm package onnxruntime-node is not installed', { cause });
  }
}
