import { readFile } from 'node:fs/promises';
import { EngineError } from '../../errors.ts';

/** Logits as an engine writes them when teacher-forced. @throws EngineError when it wrote none. */
export async function readLogits(path: string): Promise<Float32Array> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw new EngineError('failed', 'the engine wrote no logits');
    throw error;
  });
  if (bytes.length % 4 !== 0) throw new EngineError('failed', `${bytes.length} bytes are no float32 logits`);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}
