import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../../errors.ts';
import type { LoadRequest } from '../../schema/protocol.ts';
import { checkExternalData } from './externaldata.ts';
import { type ModelFile, readModelFile } from './modelfile.ts';

const MODEL_FILE = 'model.onnx';
const ATTENTION = 'GroupQueryAttention';

/**
 * Looks at artefactDir/model.onnx before ONNX Runtime does. Throws EngineError `unsupported` for an attention that cannot
 * be driven, `failed` for a missing or malformed model or one that reaches outside its folder.
 */
export function openModelFolder(request: Pick<LoadRequest, 'artefactDir'>): {
  path: string;
  model: ModelFile;
} {
  const path = join(request.artefactDir, MODEL_FILE);
  if (!existsSync(path)) {
    throw new EngineError('failed', `there is no ${MODEL_FILE} in ${request.artefactDir}`);
  }
  const model = readModelFile(path);
  checkExternalData(request.artefactDir, model.externalData);
  requireSharedCache(model);
  return { path, model };
}

/** Other attention operators copy past to present on every step, and with a shared buffer would compute nonsense. */
function requireSharedCache(model: ModelFile): void {
  if (model.operators.has(ATTENTION)) return;
  throw new EngineError(
    'unsupported',
    `this ONNX model has no ${ATTENTION} node, the attention that appends to its KV cache in place; ` +
      "make it with onnxruntime-genai's model builder",
  );
}
