import { distance } from 'fastest-levenshtein';

/**
 * The known names that a mistyped one probably means, nearest first, at most three. Case, dashes, dots and underscores
 * do not count, so that `batch_sizes` finds `batchSizes`, and a known beginning counts, so that `onnx` finds
 * `onnxruntime`.
 */
export function nearest(name: string, known: Iterable<string>): string[] {
  // Longer than any name there is: comparing it would only cost time.
  if (name.length > 100) return [];
  const typed = plain(name);
  const ranked: { candidate: string; rank: number }[] = [];
  for (const candidate of known) {
    const target = plain(candidate);
    const edits = distance(typed, target);
    const begins = typed.length >= 3 && (target.startsWith(typed) || typed.startsWith(target));
    const length = Math.max(typed.length, target.length);
    // Three letters are near to anything: `gpu` does not mean `cpu`.
    const allowed = length <= 3 ? 0 : Math.max(1, Math.floor(length / 3));
    if (edits <= allowed || begins) ranked.push({ candidate, rank: begins ? Math.min(edits, 1) : edits });
  }
  ranked.sort((a, b) => a.rank - b.rank || (a.candidate < b.candidate ? -1 : 1));
  return ranked.slice(0, 3).map((entry) => entry.candidate);
}

/** `; did you mean "a" or "b"?`, or nothing when no known name is near. */
export function didYouMean(name: string, known: Iterable<string>): string {
  const names = nearest(name, known).map((candidate) => JSON.stringify(candidate));
  return names.length === 0 ? '' : `; did you mean ${names.join(' or ')}?`;
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[-_. ]/g, '');
}
