/** Variables whose values let somebody in: tracebacks, URLs and options may quote them. */
const SECRET_NAME = /(?:^|_)(?:TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|ACCESS_KEY|PRIVATE_KEY)(?:_|$)/i;
/** A shorter value may be any word. */
const SHORTEST = 8;

const secretValues = (): string[] =>
  Object.entries(process.env).flatMap(([name, value]) =>
    value !== undefined && value.length >= SHORTEST && SECRET_NAME.test(name) ? [value] : [],
  );

/** Takes out tokens before a text of a library or of the user's reaches the terminal, a record or a report. */
export function redactSecrets(text: string): string {
  let clean = text
    .replaceAll(/\bhf_[A-Za-z0-9]{8,}/g, 'hf_***')
    .replaceAll(/(\/\/)[^/\s@"']+@/g, '$1***@')
    .replaceAll(/([?&](?:[a-z_-]*token|key|secret|password|sig|signature)=)[^&\s"']+/gi, '$1***');
  for (const value of secretValues()) clean = clean.replaceAll(value, '***');
  return clean;
}

/** The same value with every text in it, and every name of a property, without tokens. */
export function withoutSecrets<T>(value: T): T {
  return redact(value) as T;
}

function redact(value: unknown): unknown {
  if (typeof value === 'string') return redactSecrets(value);
  if (Array.isArray(value)) return value.map(redact);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) => [redactSecrets(key), redact(inner)]);
  return Object.fromEntries(entries);
}
