/** Conversion and formatting of every unit that ortbench prints. Independent of locale, so that reports are the same everywhere. */

export const NS_PER_MS = 1e6;
export const NS_PER_SECOND = 1e9;
export const BYTES_PER_MIB = 2 ** 20;

export const nsToMs = (ns: number): number => ns / NS_PER_MS;
export const nsToSeconds = (ns: number): number => ns / NS_PER_SECOND;
export const bytesToMiB = (bytes: number): number => bytes / BYTES_PER_MIB;

const MISSING = '–';

/** Thousands apart by commas: 12345.6 with 1 digit → "12,345.6". */
export function formatNumber(value: number, digits = 0): string {
  if (!Number.isFinite(value)) return MISSING;
  const [whole = '', fraction] = Math.abs(value).toFixed(digits).split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  const text = fraction === undefined ? grouped : `${grouped}.${fraction}`;
  return value < 0 && /[1-9]/.test(text) ? `-${text}` : text;
}

/** About three significant digits: 0.123, 4.56, 78.9, 1,235. */
export function formatSignificant(value: number): string {
  const size = Math.abs(value);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  return formatNumber(value, digits);
}

/** Short enough to stand on a bar: 7.25, 56.3, 987, 4,321, 12.3k, 4.56M. */
export function formatCompact(value: number): string {
  // A value that would round up to the next unit is printed in it: 9,999.9 is 10k.
  const rounded = Number(value.toPrecision(Math.abs(value) >= 1e3 ? 4 : 3));
  const size = Math.abs(rounded);
  if (size >= 1e9) return `${Number((value / 1e9).toPrecision(3))}G`;
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (size >= 1e4) return `${Number((value / 1e3).toPrecision(3))}k`;
  return formatSignificant(value);
}

/** A rate without its unit word, for table columns. */
export const formatTokensPerSecond = (rate: number): string => `${formatSignificant(rate)} tokens/s`;

/** "1.72×"; three digits are kept below one, where a ratio of 0.953 and one of 0.949 differ. */
export function formatRatio(ratio: number): string {
  if (!Number.isFinite(ratio)) return MISSING;
  const size = Math.abs(ratio);
  return `${formatNumber(ratio, size >= 100 ? 0 : size >= 1 ? 2 : 3)}×`;
}

/** "12.3 %" */
export const formatPercent = (share: number, digits = 1): string =>
  Number.isFinite(share) ? `${formatNumber(share * 100, digits)} %` : MISSING;

/** A short time in its natural unit: "812 ns", "4.56 µs", "12.3 ms", "1.24 s". */
export function formatNs(ns: number): string {
  if (!Number.isFinite(ns)) return MISSING;
  const size = Math.abs(ns);
  if (size >= NS_PER_SECOND) return `${formatSignificant(ns / NS_PER_SECOND)} s`;
  if (size >= NS_PER_MS) return `${formatSignificant(ns / NS_PER_MS)} ms`;
  if (size >= 1e3) return `${formatSignificant(ns / 1e3)} µs`;
  return `${formatNumber(ns)} ns`;
}

export const formatMs = (ms: number): string => formatNs(ms * NS_PER_MS);

/** A span that a person waits for: "8 s", "2 min 05 s", "1 h 03 min". */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return MISSING;
  const whole = Math.max(0, Math.round(seconds));
  const pad = (value: number) => String(value).padStart(2, '0');
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
}

/** "512 MiB", "15.6 GiB" */
export function formatMiB(mib: number): string {
  if (!Number.isFinite(mib)) return MISSING;
  return mib >= 1024 ? `${formatSignificant(mib / 1024)} GiB` : `${formatSignificant(mib)} MiB`;
}

export const formatBytes = (bytes: number): string => formatMiB(bytesToMiB(bytes));

/** Parameters of a model: "2.78B", "58.3M". */
export function formatParameters(count: number): string {
  if (count >= 1e9) return `${Number((count / 1e9).toPrecision(3))}B`;
  if (count >= 1e6) return `${Number((count / 1e6).toPrecision(3))}M`;
  return formatNumber(count);
}
