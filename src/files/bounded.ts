import { constants, open } from 'node:fs/promises';

/** What a file is that is not read: too large, or a device, a pipe or a folder, which may have no end. */
export class UnreadableFile extends Error {}

/**
 * The bytes of a regular file of at most `most` bytes. A link to a device would fill the memory, a pipe never answer.
 * @throws UnreadableFile; what the file system throws when the file is not there
 */
export async function readBounded(path: string, most: number): Promise<Buffer> {
  // Without waiting for somebody at the other end of a pipe. Windows has neither.
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const found = await file.stat();
    if (!found.isFile()) throw new UnreadableFile('is no regular file');
    if (found.size > most) throw new UnreadableFile(`is larger than ${most / 2 ** 20} MiB`);
    // One more than it has: files of /proc say that they are empty, and others may grow meanwhile.
    const bytes = Buffer.alloc(found.size + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length);
      length += bytesRead;
      if (length > found.size) throw new UnreadableFile('is longer than its size says');
      if (bytesRead === 0) return bytes.subarray(0, length);
    }
  } finally {
    await file.close();
  }
}
