import { z } from 'zod';
import { EngineError, InfrastructureError, UserError } from '../errors.ts';
import { redactSecrets } from '../files/redact.ts';
import { PreparerProcess } from './preparer-process.ts';

export type Verb = 'checkpoint' | 'onnx' | 'gguf' | 'verify';

export interface CallOptions {
  readonly onProgress?: ((line: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

const failureSchema = z.object({
  ok: z.literal(false),
  code: z.enum(['user', 'unsupported', 'unavailable', 'failed', 'no-space']),
  message: z.string(),
  hint: z.string().nullable(),
});

/** Importing torch and transformers takes seconds, so one process answers a whole row of calls. */
let current: PreparerProcess | null = null;
let queue: Promise<unknown> = Promise.resolve();

/**
 * The one way to the Python side: one JSON request in, one JSON reply out, one at a time. Throws UserError for mistakes
 * in the model's description or files, EngineError when it cannot be made, InfrastructureError when the disk is full.
 */
export async function callPreparer<T>(
  verb: Verb,
  request: Readonly<Record<string, unknown>>,
  reply: z.ZodType<T>,
  options: CallOptions,
): Promise<T> {
  const turn = queue.then(() => ask(verb, request, options));
  queue = turn.catch(() => {});
  const answer = await turn;
  const failure = failureSchema.safeParse(answer);
  if (failure.success) throw toError(failure.data);
  const result = reply.safeParse(answer);
  if (!result.success) throw new EngineError('failed', `preparing gave no reply that is understood: ${verb}`);
  return result.data;
}

/** Ends the process that waits for more requests; it would end by itself a little later. */
export async function endPreparer(): Promise<void> {
  await current?.end();
  current = null;
}

async function ask(
  verb: Verb,
  request: Readonly<Record<string, unknown>>,
  { onProgress = () => {}, signal }: CallOptions,
): Promise<unknown> {
  signal?.throwIfAborted();
  if (current === null || current.ended) current = await PreparerProcess.start(onProgress);
  return await current.ask({ verb, request }, onProgress, signal);
}

function toError({ code, message: raw, hint: rawHint }: z.infer<typeof failureSchema>): Error {
  const message = redactSecrets(raw);
  const hint = rawHint === null ? undefined : redactSecrets(rawHint);
  const withHint = hint === undefined ? {} : { hint };
  if (code === 'user') return new UserError(message, withHint);
  if (code === 'no-space') return new InfrastructureError(message, withHint);
  return new EngineError(code, hint === undefined ? message : `${message} (${hint})`);
}
