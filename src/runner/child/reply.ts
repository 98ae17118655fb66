import { EngineError } from '../../errors.ts';
import { type Reply, replySchema } from '../../schema/protocol.ts';

export function protocolError(message: string): EngineError {
  return new EngineError('protocol-error', message, { sessionLost: true });
}

/** A line of a runner as a message of the protocol, or why it is none. */
export function parseReply(line: string): Reply | EngineError {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return protocolError(`the runner sent a line that is not JSON: ${JSON.stringify(line.slice(0, 120))}`);
  }
  const parsed = replySchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  return protocolError(
    `the runner sent a message that is not valid: ${issue?.path.join('.')}: ${issue?.message}`,
  );
}
