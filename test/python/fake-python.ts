import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * A python3 made of a few lines of shell: says its version, makes "environments" that hold itself, and "installs"
 * packages. Every call is noted in `calls`, one line each. Faults are set by environment variables.
 */
const SCRIPT = `#!/bin/sh
echo "$@" | head -1 >> "$FAKE_PYTHON_CALLS"
case "$*" in
  *version_info*) echo "\${FAKE_PYTHON_VERSION:-3.12}" ;;
  "-m venv "*)
    if [ -n "$FAKE_NO_VENV" ]; then
      echo "The virtual environment was not created successfully because ensurepip is not available." >&2
      exit 1
    fi
    mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
  *"pip install"*)
    echo "Collecting torch"
    echo "WARNING: an index is slow" >&2
    sleep 0.3
    if [ -n "$FAKE_PIP_FAILS" ]; then echo "ERROR: No matching distribution found" >&2; exit 1; fi
    echo "Successfully installed torch" ;;
  *) exit 9 ;;
esac
`;

/** Makes the folder to put on PATH; returns it. */
export async function makeFakePython(root: string): Promise<string> {
  const bin = join(root, 'fake-bin');
  await mkdir(bin, { recursive: true });
  const file = join(bin, 'python3');
  await writeFile(file, SCRIPT);
  await chmod(file, 0o755);
  return bin;
}
