import type { AdminCommand, CommandResult } from './admin-command.ts';
import { ParameterError } from './parameters.ts';

/** A command that matches a path, with its arguments. */
export interface CommandCall {
  readonly command: AdminCommand;
  readonly args: readonly string[];
}

const PLACEHOLDER = /^[A-Z]+$/;

/** All commands, by method and path. */
export class CommandTable {
  /** Names of the commands with their methods: `POST /reload`. */
  readonly names: readonly string[];
  readonly #commands: readonly { readonly command: AdminCommand; readonly segments: readonly string[] }[];

  constructor(commands: readonly AdminCommand[]) {
    this.names = commands.map((command) => `${methodOf(command)} ${command.path}`);
    this.#commands = commands.map((command) => ({ command, segments: command.path.split('/') }));
  }

  /**
   * Finds the commands of a path: one for each method that the path accepts.
   *
   * @param path without the query string
   */
  find(path: string): readonly CommandCall[] {
    const segments = path.split('/');
    return this.#commands.flatMap(({ command, segments: wanted }) => {
      const args = argumentsOf(wanted, segments);
      return args === null ? [] : [{ command, args }];
    });
  }
}

/** Returns the HTTP method of a command. */
export function methodOf({ method }: AdminCommand): string {
  return method ?? 'POST';
}

/** Runs a command. An invalid parameter gives status 400. */
export async function runCommand(
  { command, args }: CommandCall,
  query: URLSearchParams,
  client = '',
): Promise<CommandResult> {
  try {
    return await command.run(args, query, client);
  } catch (error) {
    if (error instanceof ParameterError) return { status: 400, message: error.message };
    throw error;
  }
}

/** Returns the decoded segments at the placeholders' positions. Null if the path does not match. */
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
