import type { AdminCommand, CommandResult } from './admin-command.ts';
import { ParameterError } from './parameters.ts';

/** The command that a path names. */
export interface CommandCall {
  readonly command: AdminCommand;
  readonly args: readonly string[];
}

const PLACEHOLDER = /^[A-Z]+$/;

/** The commands by their paths. */
export class CommandTable {
  readonly paths: readonly string[];
  readonly #commands: readonly { readonly command: AdminCommand; readonly segments: readonly string[] }[];

  constructor(commands: readonly AdminCommand[]) {
    this.paths = commands.map(({ path }) => path);
    this.#commands = commands.map((command) => ({ command, segments: command.path.split('/') }));
  }

  /** Finds the command of a path without its query; null if there is none. */
  find(path: string): CommandCall | null {
    const segments = path.split('/');
    for (const { command, segments: wanted } of this.#commands) {
      const args = argumentsOf(wanted, segments);
      if (args !== null) return { command, args };
    }
    return null;
  }
}

/** Runs a command; a parameter that cannot be read gives 400. */
export async function runCommand(
  { command, args }: CommandCall,
  query: URLSearchParams,
): Promise<CommandResult> {
  try {
    return await command.run(args, query);
  } catch (error) {
    if (error instanceof ParameterError) return { status: 400, message: error.message };
    throw error;
  }
}

/** Returns the segments in place of the placeholders; null if the path has another form. */
function argumentsOf(wanted: readonly string[], segments: readonly string[]): string[] | null {
  if (wanted.length !== segments.length) return null;
  const args: string[] = [];
  for (const [index, segment] of segments.entries()) {
    if (PLACEHOLDER.test(wanted[index]!)) {
      const decoded = decode(segment);
      if (decoded === null) return null;
      args.push(decoded);
    } else if (segment !== wanted[index]) {
      return null;
    }
  }
  return args;
}

function decode(segment: string): string | null {
  try {
    return segment === '' ? null : decodeURIComponent(segment);
  } catch {
    return null;
  }
}
