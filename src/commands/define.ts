import { type Command, CommanderError } from 'commander';
import { EXIT } from '../exit-codes.ts';
import { describeFailure } from '../failure.ts';

type OptionDefinition =
  | readonly [flags: string, description: string]
  | readonly [flags: string, description: string, collect: (value: string, earlier?: string[]) => string[]];

/** One command, as cli.ts lists it. */
export interface CommandDefinition {
  /** Name and arguments in commander's notation. */
  readonly usage: string;
  readonly does: string;
  readonly options: readonly OptionDefinition[];
  /** Printed below the options of `--help`, without the program's name. */
  readonly examples: readonly string[];
  /** Imports the command's function when it is called for: `--help` loads none. It takes the arguments, then the options. */
  readonly load: () => Promise<(...input: never[]) => Promise<number>>;
}

/** For options that may be given several times. */
export const collect = (value: string, earlier: string[] = []): string[] => [...earlier, value];

export function examples(lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ortbench ${line}\n`).join('')}`;
}

export function define(program: Command, definition: CommandDefinition): void {
  const command = program.command(definition.usage).description(definition.does);
  for (const [flags, description, parse] of definition.options) {
    if (parse === undefined) command.option(flags, description);
    else command.option(flags, description, parse);
  }
  command.addHelpText('after', examples(definition.examples)).action(async (...input: unknown[]) => {
    const run = (await definition.load()) as (...input: unknown[]) => Promise<number>;
    // commander hands over the arguments, the options, and the command itself.
    process.exitCode = await run(...input.slice(0, -1));
  });
}

/** Parses the command line, runs the command, and turns whatever is thrown into a message and an exit code. */
export async function runProgram(program: Command): Promise<void> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // `ortbench plan … | head` closes the pipe early, which is no mistake.
    process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.infrastructure);
  });
  try {
    await program.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
      return;
    }
    const { text, exitCode } = describeFailure(error, process.env.DEBUG === 'ortbench');
    process.stderr.write(text);
    process.exitCode = exitCode;
  }
}
