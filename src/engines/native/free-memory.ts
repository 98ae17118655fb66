/**
 * Gives memory that was freed back to the system. glibc keeps it for the next allocation, and the next engine would find
 * that much less.
 */
export async function giveFreedMemoryBack(): Promise<void> {
  if (process.platform !== 'linux') return;
  const { default: koffi } = await import('koffi');
  try {
    koffi.load('libc.so.6').func('int malloc_trim(size_t)')(0);
  } catch {
    // Another C library, which keeps nothing back or has no such call.
  }
}
