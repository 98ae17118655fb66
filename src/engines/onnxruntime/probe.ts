import { EngineError } from '../../errors.ts';
import type { Device } from '../../schema/vocabulary.ts';
import { describeDevice, firstDevice, type Lack, unavailable } from '../device-check.ts';
import type { Availability } from '../engine.ts';
import { type OrtOptions, ortOptionsSchema } from './options.ts';
import { type OrtDevice, PROVIDERS } from './providers.ts';

const INSTALL = 'npm install --ignore-scripts onnxruntime-node koffi';
/** The package's own script fetches the file from NuGet; npm is told to run no such scripts here. */
const INSTALL_CUDA =
  'node node_modules/onnxruntime-node/script/install.js --onnxruntime-node-install=cuda12, or name the folder of a ' +
  'CUDA build in the engine option libraryDir (docs/devices.md)';

/** Opens the library, and a provider in another process alone: it takes its device as soon as it is loaded. */
export async function probe(device: Device, options: Record<string, unknown>): Promise<Availability> {
  const parsed = ortOptionsSchema.parse(options);
  const { openFor } = await import('./load.ts');
  let opened: Awaited<ReturnType<typeof openFor>>;
  try {
    opened = await openFor(parsed);
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return { available: false, reason: error.message, mend: INSTALL };
  }
  const { library, versions } = opened;
  if (device === 'cpu') return { available: true, versions, notes: [library.build] };

  const found = await firstDevice(device);
  const { availableProviders } = await import('./capi/providers.ts');
  const { missingProviderFile } = await import('./capi/location.ts');
  const providers = availableProviders(library);
  const lacks = [
    ...('lack' in found ? [found.lack] : []),
    ...lackingProvider(device, library, parsed, providers, missingProviderFile),
  ];
  if ('lack' in found || lacks.length > 0) return unavailable(lacks);
  const { refusedProvider } = await import('./provider-check.ts');
  const refused = await refusedProvider(library.path, device, parsed.providerOptions);
  if (refused !== null) return unavailable([refused]);
  return { available: true, versions, notes: [library.build, describeDevice(found.device)] };
}

/** What the library lacks for a device: the provider in it, or the part that is a file of its own. */
export function lackingProvider(
  device: OrtDevice,
  { version, path }: { version: string; path: string },
  { libraryDir, libraryPath }: Pick<OrtOptions, 'libraryDir' | 'libraryPath'>,
  providers: readonly string[],
  missingFile: (libraryPath: string, name: string) => string | null,
): Lack[] {
  const { provider, append } = PROVIDERS[device];
  const packaged = libraryDir === undefined && libraryPath === undefined;
  const which = `ONNX Runtime ${version}${packaged ? ' of onnxruntime-node' : ''}`;
  if (!providers.includes(provider)) {
    const mend = 'name the folder of a build that has it in the engine option libraryDir (docs/devices.md)';
    return [{ reason: `${which} was built without ${provider} (it has ${providers.join(', ')})`, mend }];
  }
  if (append !== 'cuda') return [];
  const missing = missingFile(path, 'cuda') ?? missingFile(path, 'shared');
  if (missing === null) return [];
  return [
    { reason: `${which} has no ${missing} beside it, the library of its CUDA provider`, mend: INSTALL_CUDA },
  ];
}
