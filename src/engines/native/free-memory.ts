type Trim = (paddingBytes: number) => number;

/** Found once: koffi keeps some 0.6 KiB of each lookup. */
let trim: Promise<Trim | null> | null = null;

/**
 * Gives memory that was freed back to the system. glibc keeps it for the next allocation, and the next engine would find
 * that much less.
 */
export async function giveFreedMemoryBack(): Promise<void> {
  trim ??= findTrim();
  (await trim)?.(0);
}

async function findTrim(): Promise<Trim | null> {
  if (process.platform !== 'linux') return null;
  const { default: koffi } = await import('koffi');
  try {
    return koffi.load('libc.so.6').func('int malloc_trim(size_t)');
  } catch {
    // Another C library, which keeps nothing back or has no such call.
    return null;
  }
}
