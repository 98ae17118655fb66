import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { cacheRoot } from '../../../files/cache-root.ts';
import { FOLDER_PREFIX, thisProcessor } from './identity.ts';
import { SOURCE } from './source.ts';

/** Written beside the libraries: what they are. */
export const manifestSchema = z.object({
  package: z.string(),
  version: z.string(),
  sha256: z.string(),
  /** As in "GCC 12.2.0". */
  compiler: z.string(),
  cmake: z.string(),
  settings: z.array(z.string()),
  processor: z.string(),
  /** What llama-bench --version says. */
  llamaCpp: z.string(),
  builtAt: z.iso.datetime(),
});
export type Manifest = z.infer<typeof manifestSchema>;

export const MANIFEST_FILE = 'build.json';

export interface NativeBuild {
  readonly dir: string;
  /** Holds libllama, its ggml libraries, llama-bench and llama-batched-bench. */
  readonly binDir: string;
  readonly manifest: Manifest;
}

/** The build in a folder; null where there is none, or one that another version of this program wrote. */
export function readNativeBuild(dir: string): NativeBuild | null {
  let manifest: unknown;
  try {
    manifest = JSON.parse(readFileSync(path.join(dir, MANIFEST_FILE), 'utf8'));
  } catch {
    // Written last and whole: without it, or torn by a full disk, the folder is made anew.
    return null;
  }
  const parsed = manifestSchema.safeParse(manifest);
  return parsed.success ? { dir, binDir: path.join(dir, 'bin'), manifest: parsed.data } : null;
}

/**
 * The native build in the cache that was made for this processor from the source that this version uses, the newest where
 * there are several; null where there is none.
 */
export function findNativeBuild(processor = thisProcessor()): NativeBuild | null {
  const root = cacheRoot();
  let names: string[];
  try {
    names = readdirSync(root);
  } catch {
    return null;
  }
  const builds = names
    .filter((name) => name.startsWith(FOLDER_PREFIX))
    .map((name) => readNativeBuild(path.join(root, name)))
    .filter((build) => build !== null)
    .filter(({ manifest }) => manifest.sha256 === SOURCE.sha256 && manifest.processor === processor);
  return builds.sort((a, b) => (a.manifest.builtAt < b.manifest.builtAt ? 1 : -1))[0] ?? null;
}

/** Folder of the native build's llama-bench and llama-batched-bench; null where there is no native build. */
export const nativeToolsDir = (): string | null => findNativeBuild()?.binDir ?? null;
