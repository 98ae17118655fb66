import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { BACKENDS, type GpuDevice } from './backends.ts';
import { findNativeBuild, type NativeBuild } from './native/find.ts';
import { NATIVE_COMMAND } from './native/source.ts';
import type { LlamaCppOptions } from './options.ts';

/** Where the npm packages that carry a prebuilt library exist: `process.platform`-`process.arch`. */
const PREBUILT_PLATFORMS: readonly string[] = ['linux-x64'];
/** `suffix` as in linux-x64-vulkan; empty for the CPU. */
const prebuiltPackage = (platform: string, suffix: string) => `@node-llama-cpp/${platform}${suffix}`;
const PREBUILT_VERSION = '3.22.1';

export interface LibraryFiles {
  readonly dir: string;
  readonly libllama: string;
  /** libggml and libggml-base, where they are files of their own. */
  readonly others: readonly string[];
  readonly origin: 'native' | 'prebuilt' | 'user';
  /** Where it is known from elsewhere than the files themselves. */
  readonly compiler?: string;
  /** Package and release, as far as they can be told without loading the library. */
  readonly versions: Readonly<Record<string, string>>;
  /** For the record: where the build comes from. */
  readonly description: string;
}

export interface LibraryMissing {
  readonly reason: string;
  readonly mend: string;
}

export type LibraryLocation = { found: LibraryFiles } | { missing: LibraryMissing };

/** File of a shared library called `name`, with or without backend and versions in it (libllama.v0.5.0.so, llama.dll). */
export function pickLibrary(files: readonly string[], name: string): string | undefined {
  const pattern = new RegExp(
    `^(lib)?${name}(\\.(vulkan|cuda))?(\\.v?\\d+(\\.\\d+)*)?\\.(so|dylib|dll)(\\.\\d+)*$`,
  );
  return files
    .filter((file) => pattern.test(file))
    .sort((a, b) => a.length - b.length || (a < b ? -1 : 1))[0];
}

/** Turns a package name into the path of one of its files; throws when it is not installed. */
export type Resolve = (packageName: string) => string;
const resolveInstalled: Resolve = createRequire(import.meta.url).resolve;

export interface Surroundings {
  readonly platform: string;
  readonly resolve: Resolve;
  /** Looked for only where it is wanted. */
  readonly native: () => NativeBuild | null;
}
const here: Surroundings = {
  platform: `${process.platform}-${process.arch}`,
  resolve: resolveInstalled,
  native: findNativeBuild,
};

/**
 * Finds the library without loading it: the user's folder if one is named; otherwise the native build where there is one,
 * for every engine runs at its own best; otherwise the prebuilt package of this platform.
 */
export function locateLibrary(
  { library, libraryDir }: Partial<Pick<LlamaCppOptions, 'library' | 'libraryDir'>>,
  { platform, resolve, native }: Surroundings = here,
): LibraryLocation {
  if (libraryDir !== undefined) return locateUser(libraryDir);
  if (library === 'prebuilt') return locatePrebuilt(platform, resolve);
  const build = native();
  if (build !== null) return locateNative(build);
  if (library !== 'native') return locatePrebuilt(platform, resolve);
  return {
    missing: {
      reason: 'no native llama.cpp was built on this machine for its processor',
      mend: NATIVE_COMMAND,
    },
  };
}

/**
 * The library for a device other than the CPU: the user's folder, or the prebuilt package with that backend. Either must
 * hold the backend's own library, or be linked into one file, of which only loading tells.
 */
export function locateGpuLibrary(
  device: GpuDevice,
  { libraryDir }: Pick<LlamaCppOptions, 'libraryDir'>,
  { platform, resolve }: Pick<Surroundings, 'platform' | 'resolve'> = here,
): LibraryLocation {
  const { suffix, library, title } = BACKENDS[device];
  const location =
    libraryDir === undefined ? locatePrebuilt(platform, resolve, suffix) : locateUser(libraryDir);
  if ('missing' in location || location.found.others.length === 0) return location;
  if (pickLibrary(readdirOrNull(location.found.dir) ?? [], library) !== undefined) return location;
  return {
    missing: {
      reason: `the llama.cpp build in ${libraryDir ?? location.found.description} has no lib${library}: it was built without ${title}`,
      mend: `name the folder of a build with ${title} in the engine option libraryDir`,
    },
  };
}

function locateNative({ dir, binDir, manifest }: NativeBuild): LibraryLocation {
  const files = readdirOrNull(binDir);
  const found = files && filesOf(binDir, files);
  if (!found) {
    const mend = `delete ${dir}, then: ${NATIVE_COMMAND}`;
    return { missing: { reason: `the native build in ${dir} has lost its libllama`, mend } };
  }
  return {
    found: {
      ...found,
      origin: 'native',
      compiler: manifest.compiler,
      versions: {
        [manifest.package]: manifest.version,
        'llama.cpp release': manifest.llamaCpp,
      },
      description: `native (built on this machine from ${manifest.package} ${manifest.version})`,
    },
  };
}

function locateUser(libraryDir: string): LibraryLocation {
  const dir = path.resolve(libraryDir);
  const missing = (reason: string): LibraryLocation => ({
    missing: { reason, mend: 'set libraryDir to the folder that holds libllama and its libggml libraries' },
  });
  let files: string[];
  try {
    files = readdirSync(dir);
  } catch (error) {
    return missing(`libraryDir ${libraryDir} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  const found = filesOf(dir, files);
  if (found === undefined) return missing(`there is no libllama in libraryDir ${libraryDir}`);
  return { found: { ...found, origin: 'user', versions: {}, description: "the user's own library folder" } };
}

function locatePrebuilt(platform: string, resolve: Resolve, suffix = ''): LibraryLocation {
  const name = prebuiltPackage(platform, suffix);
  if (!PREBUILT_PLATFORMS.includes(platform)) {
    return {
      missing: {
        reason: `no prebuilt llama.cpp library is used on ${platform}`,
        mend: `${suffix === '' ? `${NATIVE_COMMAND} (or ` : '('}name a folder of llama.cpp 0.5 in the engine option libraryDir)`,
      },
    };
  }
  const mend = `npm install ${name}@${PREBUILT_VERSION}`;
  let root: string;
  try {
    root = path.dirname(path.dirname(resolve(name)));
  } catch {
    return { missing: { reason: `the optional package ${name} is not installed`, mend } };
  }
  const dir = path.join(root, 'bins', `${platform}${suffix}`);
  let files: string[];
  try {
    files = readdirSync(dir);
  } catch {
    return { missing: { reason: `the package ${name} holds no libraries for ${platform}`, mend } };
  }
  const found = filesOf(dir, files);
  if (found === undefined) return { missing: { reason: `the package ${name} holds no libllama`, mend } };
  const { version } = readJson(path.join(root, 'package.json')) as { version?: string };
  const { buildOptions } = readJson(path.join(dir, '_nlcBuildMetadata.json')) as {
    buildOptions?: { platformInfo?: { name?: string; version?: string }; llamaCpp?: { release?: string } };
  };
  const release = buildOptions?.llamaCpp?.release;
  const system = buildOptions?.platformInfo;
  return {
    found: {
      ...found,
      origin: 'prebuilt',
      versions: {
        ...(version === undefined ? {} : { [name]: version }),
        ...(release === undefined ? {} : { 'llama.cpp release': release }),
      },
      description: `prebuilt${system?.name === undefined ? '' : ` on ${system.name} ${system.version ?? ''}`.trimEnd()}`,
    },
  };
}

function filesOf(dir: string, files: readonly string[]) {
  const libllama = pickLibrary(files, 'llama');
  if (libllama === undefined) return undefined;
  const others = ['ggml', 'ggml-base']
    .map((name) => pickLibrary(files, name))
    .filter((file): file is string => file !== undefined)
    .map((file) => path.join(dir, file));
  return { dir, libllama: path.join(dir, libllama), others };
}

function readdirOrNull(dir: string): string[] | null {
  try {
    return readdirSync(dir);
  } catch {
    return null;
  }
}

/** Metadata is for the record only: a file that is absent or broken leaves it out. */
function readJson(file: string): object {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
