import { EngineError } from '../../errors.ts';
import type { LoadRequest } from '../../schema/protocol.ts';
import type { EngineSession } from '../engine.ts';
import { NativeSession } from '../native/session.ts';
import { UnknownVersionError } from './capi/version-error.ts';
import { load } from './load.ts';
import { parseOptions } from './options.ts';
import { batchedBenchBeside, locateBatchedBench } from './tools/location.ts';
import { BatchedBenchSession } from './tools/session.ts';

/**
 * Through the C API; through llama-batched-bench where the user names it, or where the user's library is of a version
 * whose C API is not known and the tool lies beside it.
 * @throws EngineError as `load` does; `unavailable` where no tool is to be found.
 */
export async function open(request: LoadRequest): Promise<EngineSession> {
  const options = parseOptions(request.options);
  const { toolsDir, libraryDir } = options;
  if (request.device !== 'cpu' && toolsDir !== undefined) {
    throw new EngineError('unsupported', 'llama-batched-bench is driven on the CPU only');
  }
  if (toolsDir !== undefined) {
    const file = locateBatchedBench(toolsDir);
    if (file === null) throw new EngineError('unavailable', `there is no llama-batched-bench in ${toolsDir}`);
    return BatchedBenchSession.open(file, request, options, 'named by the option toolsDir');
  }
  try {
    return new NativeSession(await load(request));
  } catch (error) {
    if (!(error instanceof UnknownVersionError) || libraryDir === undefined || request.device !== 'cpu')
      throw error;
    const file = batchedBenchBeside(libraryDir);
    if (file === null) {
      const advice = 'or put llama-batched-bench of the same build beside it, which is then driven instead';
      throw new EngineError('unavailable', `${error.message}; ${advice}`, { cause: error });
    }
    return BatchedBenchSession.open(file, request, options, error.message);
  }
}
