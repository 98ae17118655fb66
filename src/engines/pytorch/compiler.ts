import { access, constants } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';

/** Whether the C++ compiler that torch.compile calls can be started; $CXX names another than g++ or clang++. */
export async function findCompiler(env: NodeJS.ProcessEnv = process.env): Promise<string | null> {
  const name = env.CXX || (process.platform === 'darwin' ? 'clang++' : 'g++');
  const places = isAbsolute(name)
    ? [name]
    : (env.PATH ?? '').split(delimiter).map((folder) => join(folder, name));
  for (const place of places) {
    const usable = await access(place, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (usable) return name;
  }
  return null;
}
