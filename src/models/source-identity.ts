import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../files/atomic.ts';
import { cacheRoot } from '../files/cache-root.ts';
import type { ResolvedModel } from './catalogue.ts';
import { hashFile, hashJson } from './hashing.ts';

/** What stands for a source's content in hashes and provenance; holds no path of this machine. */
export type SourceIdentity = Readonly<Record<string, unknown>>;

/** The files of a model folder that shape what is made from it. */
const RELEVANT = /\.safetensors$|^(config|tokenizer|tokenizer_config|model\.safetensors\.index)\.json$/;

const memoSchema = z.object({ size: z.number(), mtimeNs: z.string(), ino: z.string(), sha256: z.string() });

/**
 * Seeded and hub sources name their content; a local folder's files are hashed once and remembered by size and times.
 * With `readFiles` false, null when a file is not remembered: then nothing was made from it either.
 */
export async function identifySource(
  { spec, folder }: ResolvedModel,
  options: { readonly readFiles: boolean },
): Promise<SourceIdentity | null> {
  const { source } = spec;
  if (source.kind === 'hub') return { kind: 'hub', id: source.id, revision: source.revision };
  if (source.kind === 'architecture')
    return { kind: 'architecture', config: source.config, seed: source.seed };
  const files: Record<string, string> = {};
  for (const name of (await readdir(folder!)).filter((entry) => RELEVANT.test(entry)).sort()) {
    const sha256 = await rememberedHash(join(folder!, name), options.readFiles);
    if (sha256 === null) return null;
    files[name] = sha256;
  }
  return { kind: 'folder', files };
}

async function rememberedHash(path: string, mayRead: boolean): Promise<string | null> {
  const { size, mtimeNs, ino } = await stat(path, { bigint: true });
  const seen = { size: Number(size), mtimeNs: String(mtimeNs), ino: String(ino) };
  const memoFile = join(cacheRoot(), 'hashes', `${hashJson(path).slice(0, 32)}.json`);
  const memo = await readFile(memoFile, 'utf8').then(
    (text) => memoSchema.safeParse(parseOrNull(text)).data,
    () => undefined,
  );
  if (memo?.size === seen.size && memo.mtimeNs === seen.mtimeNs && memo.ino === seen.ino) return memo.sha256;
  if (!mayRead) return null;
  const sha256 = await hashFile(path);
  await mkdir(dirname(memoFile), { recursive: true });
  await writeFileAtomic(memoFile, `${JSON.stringify({ ...seen, sha256 })}\n`);
  return sha256;
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
