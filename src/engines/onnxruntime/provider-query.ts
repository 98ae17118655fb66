import { EngineError } from '../../errors.ts';
import { openLibrary } from './capi/library.ts';
import { appendProvider } from './capi/providers.ts';
import { type OrtDevice, PROVIDERS } from './providers.ts';

/**
 * `node provider-query.js LIBRARY DEVICE OPTIONS`: prints as JSON why ONNX Runtime cannot add a device's provider, or null.
 * A program of its own, for adding it loads the provider's libraries and takes the device.
 */
async function query(
  path: string,
  device: OrtDevice,
  options: Record<string, string>,
): Promise<string | null> {
  const library = await openLibrary(path);
  const session = library.output('creating session options', (out) =>
    library.calls.CreateSessionOptions(out),
  );
  try {
    appendProvider(library, session, PROVIDERS[device], options);
    return null;
  } catch (error) {
    if (error instanceof EngineError) return error.message;
    throw error;
  } finally {
    library.calls.ReleaseSessionOptions(session);
  }
}

const [path = '', device = '', options = '{}'] = process.argv.slice(2);
const answer = await query(path, device as OrtDevice, JSON.parse(options) as Record<string, string>);
process.stdout.write(JSON.stringify({ refusal: answer }));
