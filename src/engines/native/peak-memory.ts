import { readFileSync, writeFileSync } from 'node:fs';

/** Sets the kernel's high-water mark of this process back to its present resident set; false where it cannot. */
export function resetPeakRss(): boolean {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
    return true;
  } catch {
    // Off Linux, or in a sandbox: peak memory is then reported as unknown.
    return false;
  }
}

/** The kernel's high-water mark of the resident set since the last reset, in bytes. */
export function readPeakRssBytes(): number | null {
  const match = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
  return match ? Number(match[1]) * 1024 : null;
}
