import { existsSync, readdirSync, readFileSync } from 'node:fs';
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

/** Any release's file in a folder, by platform. */
const LIBRARY_PATTERNS: Partial<Record<NodeJS.Platform, RegExp>> = {
  linux: /^libonnxruntime\.so(\.\d+)*$/,
  darwin: /^libonnxruntime(\.\d+)*\.dylib$/,
  win32: /^onnxruntime\.dll$/,
};
/** The part of a provider that is a file of its own, which ONNX Runtime looks for beside its library. */
const PROVIDER_FILES: Partial<Record<NodeJS.Platform, (name: string) => string>> = {
  linux: (name) => `libonnxruntime_providers_${name}.so`,
  win32: (name) => `onnxruntime_providers_${name}.dll`,
};

/** The library that the options name, or the packaged one, whose package's version is then known. */
export function locateLibrary(options: {
  libraryPath?: string | undefined;
  libraryDir?: string | undefined;
}): {
  path: string;
  packageVersion: string | null;
} {
  const { libraryPath, libraryDir } = options;
  if (libraryPath !== undefined) return { path: libraryPath, packageVersion: null };
  if (libraryDir !== undefined) return { path: libraryIn(libraryDir), packageVersion: null };
  return packagedLibrary();
}

function libraryIn(dir: string): string {
  let files: string[];
  try {
    files = readdirSync(dir);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new EngineError('unavailable', `libraryDir ${dir} cannot be read (${code})`, { cause });
  }
  const pattern = LIBRARY_PATTERNS[process.platform];
  const found = files.filter((file) => pattern?.test(file)).sort((a, b) => a.length - b.length)[0];
  if (found === undefined) {
    throw new EngineError('unavailable', `there is no ONNX Runtime library in libraryDir ${dir}`);
  }
  return join(dir, found);
}

/** File of a provider's own library that is missing beside ONNX Runtime's; null where it is there. */
export function missingProviderFile(libraryPath: string, name: string): string | null {
  const file = PROVIDER_FILES[process.platform]?.(name);
  if (file === undefined) return `a provider library for ${process.platform}`;
  return existsSync(join(dirname(libraryPath), file)) ? null : file;
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
