/** What became of a command: the status and the body of the answer, text or what becomes JSON. */
interface CommandResult {
  readonly status: 200 | 202 | 400 | 404 | 409 | 503;
  readonly body: string | object;
}

/** Something that an operator may have done by POST. */
export interface AdminCommand {
  /** A segment in capitals stands for any one segment: `/clusters/NAME/rebalance`. */
  readonly path: string;
  /** @param args what stands for the segments in capitals, percent-decoded, in their order */
  readonly run: (args: readonly string[], query: URLSearchParams) => CommandResult | Promise<CommandResult>;
}

/** A command that a path has been found to mean. */
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

  /** The command of a path without its query; null where there is none. */
  find(path: string): CommandCall | null {
    const segments = path.split('/');
    for (const { command, segments: wanted } of this.#commands) {
      const args = argumentsOf(wanted, segments);
      if (args !== null) return { command, args };
    }
    return null;
  }
}

/** What stands for the placeholders; null where a path is not of that form. */
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
