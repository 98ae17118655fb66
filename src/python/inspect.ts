import { execa } from 'execa';
import { EngineError } from '../errors.ts';
import { runnersDir } from './locks.ts';

/** Packages that engines report the versions of. */
const PACKAGES = ['torch', 'transformers', 'onnxruntime-genai', 'onnxruntime'] as const;
export type PythonPackage = (typeof PACKAGES)[number];

export interface Inspection {
  readonly python: string;
  /** Absent packages have no entry. */
  readonly packages: Partial<Record<PythonPackage, string>>;
  /** Whether C++ code that includes Python.h can be compiled: torch.compile does. */
  readonly headers: boolean;
}

// Reads the metadata of packages: importing PyTorch alone would take seconds.
const INSPECT = `
import json, os, sys, sysconfig
from importlib import metadata
found = {}
for name in sys.argv[1:]:
    try:
        found[name] = metadata.version(name)
    except metadata.PackageNotFoundError:
        pass
headers = os.path.exists(os.path.join(sysconfig.get_paths()["include"], "Python.h"))
print(json.dumps({"python": ".".join(map(str, sys.version_info[:3])), "packages": found, "headers": headers}))
`;

const inspections = new Map<string, Promise<Inspection>>();

/** What an environment holds; asked once for each interpreter. @throws EngineError('unavailable') when it does not start. */
export function inspectPython(interpreter: string): Promise<Inspection> {
  let inspection = inspections.get(interpreter);
  if (inspection === undefined) {
    inspection = inspect(interpreter);
    inspections.set(interpreter, inspection);
  }
  return inspection;
}

async function inspect(interpreter: string): Promise<Inspection> {
  return JSON.parse(await runPython(interpreter, ['-c', INSPECT, ...PACKAGES])) as Inspection;
}

export interface TorchCuda {
  /** CUDA version that PyTorch was built for; null for a build without it. */
  readonly build: string | null;
  readonly available: boolean;
}

/** What PyTorch has of CUDA. Imports PyTorch: seconds. */
export async function torchCuda(interpreter: string): Promise<TorchCuda> {
  const program =
    'import json, torch; print(json.dumps({"build": torch.version.cuda, "available": torch.cuda.is_available()}))';
  const answer = await runPython(interpreter, ['-c', program]);
  // A broken driver has PyTorch warn before it answers.
  return JSON.parse(answer.trim().split('\n').at(-1)!) as TorchCuda;
}

/** Whether this build of onnxruntime-genai knows CUDA. */
export async function genaiHasCuda(interpreter: string): Promise<boolean> {
  const answer = await runPython(interpreter, [
    '-c',
    'import onnxruntime_genai as g; print(g.is_cuda_available())',
  ]);
  return answer.trim().endsWith('True');
}

async function runPython(interpreter: string, args: string[]): Promise<string> {
  const { exitCode, stdout, stderr, shortMessage } = await execa(interpreter, args, {
    reject: false,
    stdin: 'ignore',
    cwd: runnersDir,
    timeout: 120_000,
  });
  if (exitCode === 0) return stdout;
  const said = stderr?.trim().split('\n').slice(-3).join('\n') || shortMessage;
  throw new EngineError('unavailable', `Python could not be asked for its packages: ${said}`);
}
