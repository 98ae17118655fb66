import { EngineError, UserError } from '../../errors.ts';
import { findPythonEnvironment } from '../../python/environment.ts';
import { type Inspection, inspectPython, type PythonPackage } from '../../python/inspect.ts';
import { requireSystemPython } from '../../python/interpreter.ts';
import type { Availability } from '../engine.ts';

const MEND = 'npx ortbench setup';
/** Nothing is installed into an environment of the user's own. */
const MEND_CHOSEN =
  'install the versions of runners/requirements.lock there, or unset ORTBENCH_PYTHON, then: npx ortbench setup';

type Found = Extract<Availability, { available: true }> & { interpreter: string; inspection: Inspection };
type Missing = Extract<Availability, { available: false }>;

/** Whether the environment is there and holds these packages; their versions where it does. */
export async function pythonAvailability(packages: readonly PythonPackage[]): Promise<Found | Missing> {
  try {
    const interpreter = await findPythonEnvironment();
    if (interpreter === null) {
      // Setting up would only say so later.
      await requireSystemPython();
      return { available: false, reason: 'the Python environment is not made yet', mend: MEND };
    }
    const inspection = await inspectPython(interpreter);
    const absent = packages.filter((name) => inspection.packages[name] === undefined);
    if (absent.length > 0) {
      const reason = `the Python environment has no ${absent.join(', ')}`;
      const mend = process.env.ORTBENCH_PYTHON ? MEND_CHOSEN : MEND;
      return { available: false, reason, mend };
    }
    const versions = Object.fromEntries(packages.map((name) => [name, inspection.packages[name]!]));
    return {
      available: true,
      versions: { python: inspection.python, ...versions },
      notes: [],
      interpreter,
      inspection,
    };
  } catch (error) {
    if (error instanceof UserError)
      return { available: false, reason: error.message, mend: error.hint ?? MEND };
    if (error instanceof EngineError) return { available: false, reason: error.message, mend: MEND };
    throw error;
  }
}
