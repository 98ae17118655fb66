import { z } from 'zod';
import { ENGINES } from '../engines/index.ts';
import { modelSchema } from '../schema/model.ts';
import { commandSchema, replySchema } from '../schema/protocol.ts';
import { publishedSchema } from '../schema/published.ts';
import { sweepSchema } from '../schema/sweep.ts';

type JsonSchema = z.core.JSONSchema.BaseSchema;

/**
 * The committed JSON Schemas by path from the repository's root, as file contents. Editors complete sweeps and model
 * files with them, the Python runners' tests check their messages with them. They are generated: the zod schemas say
 * what holds, and more than a JSON Schema can.
 */
export async function jsonSchemaFiles(): Promise<Record<string, string>> {
  return {
    'configs/sweep.schema.json': print(await sweepJsonSchema()),
    'configs/model.schema.json': print({
      title: 'ortbench model',
      ...z.toJSONSchema(modelSchema, { io: 'input' }),
    }),
    'configs/published.schema.json': print({
      title: 'published figures',
      ...z.toJSONSchema(publishedSchema, { io: 'input' }),
    }),
    'runners/protocol.schema.json': print(protocolJsonSchema()),
  };
}

/** The sweep's schema with what only the engine map knows: ids to complete, and each engine's options. */
async function sweepJsonSchema(): Promise<JsonSchema> {
  const schema = z.toJSONSchema(sweepSchema, { io: 'input' });
  const ids = { type: 'string', enum: Object.keys(ENGINES) } as const;
  const options: Record<string, JsonSchema> = {};
  for (const [id, load] of Object.entries(ENGINES)) {
    const { $schema: _, ...own } = z.toJSONSchema((await load()).options, { io: 'input' });
    options[id] = own;
  }
  const { engines, engineOptions } = schema.properties as Record<string, JsonSchema>;
  const [shorthand, full] = (engines!.items as JsonSchema).anyOf as JsonSchema[];
  Object.assign(shorthand!, ids);
  Object.assign((full!.properties as Record<string, JsonSchema>).engine!, ids);
  delete engineOptions!.propertyNames;
  Object.assign(engineOptions!, { properties: options, additionalProperties: false });
  return { title: 'ortbench sweep', ...schema };
}

/** One definition for what runners read, one for what they write. */
function protocolJsonSchema(): JsonSchema {
  const { $schema, ...command } = z.toJSONSchema(commandSchema, { io: 'input' });
  const { $schema: _, ...reply } = z.toJSONSchema(replySchema, { io: 'input' });
  return {
    $schema: $schema!,
    title: 'ortbench runner protocol',
    anyOf: [{ $ref: '#/$defs/command' }, { $ref: '#/$defs/reply' }],
    $defs: { command: { title: 'command', ...command }, reply: { title: 'reply', ...reply } },
  };
}

function print(schema: JsonSchema): string {
  return `${JSON.stringify(schema, null, 2)}\n`;
}
