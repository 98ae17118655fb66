import { jsonSchemaFiles } from '../config/json-schemas.ts';
import { didYouMean } from '../config/suggest.ts';
import { UserError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';

const FILES = { sweep: 'configs/sweep.schema.json', model: 'configs/model.schema.json' } as const;

/** `ortbench schema`: what editors check sweep and model files with. */
export async function runSchema(name = 'sweep'): Promise<number> {
  if (!Object.hasOwn(FILES, name)) {
    throw new UserError(`there is no schema ${JSON.stringify(name)}${didYouMean(name, Object.keys(FILES))}`, {
      hint: `schemas: ${Object.keys(FILES).join(', ')}`,
    });
  }
  const files = await jsonSchemaFiles();
  process.stdout.write(files[FILES[name as keyof typeof FILES]]!);
  return EXIT.ok;
}
