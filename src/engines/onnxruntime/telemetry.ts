/**
 * Keeps ONNX Runtime from reporting. Microsoft's builds of 1.29 and later for Linux and macOS send the machine, the program's
 * path, names and hashes of models, and how long inference took to Microsoft, from a thread of their own, and keep an id of the
 * device and what could not be sent below the user's cache folder. A user of a benchmark has not agreed to that, and whatever
 * runs beside the clock is no part of inference. The library reads the variable once, when its environment is made
 * (docs/Privacy.md of microsoft/onnxruntime, pull request 27379), so this comes before a library is loaded.
 */
export function turnOffTelemetry(): void {
  process.env.ORT_DISABLE_TELEMETRY = '1';
}

/** For a session's records. On Windows events go to the system's own tracing, which the variable does not concern. */
export const TELEMETRY = process.platform === 'win32' ? 'as the system’s tracing is set' : 'off';
