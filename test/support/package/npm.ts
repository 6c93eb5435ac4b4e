/** npm in folders outside the checkout, as users run it. */
import { execFile } from 'node:child_process';
import { dirname, delimiter } from 'node:path';
import type { CommandResult } from '../processes/run-command.ts';

/** A first installation may have to download 130 MB. */
const NPM_MS = 300_000;
/**
 * What npm sets for the scripts of a package, and what changes an installation. npm's settings of the machine,
 * such as the registry and the cache, stay.
 */
const SCRIPT_VARIABLES =
  /^(?:init_cwd|node|node_env|node_options|sluice_.*|npm_(?:command|execpath|node_execpath|(?:package|lifecycle)_.*)|npm_config_(?:local_prefix|prefix|global_prefix|global|omit|include|only|production|optional|workspaces?))$/i;

/** Where and on which Node a command of npm runs. */
export interface NpmPlace {
  readonly folder: string;
  /** Path of the Node binary. Its folder comes first in PATH, so that programs with a shebang use it, too. */
  readonly node: string;
}

/** Runs npm, npx or an installed program. Rejects if it cannot be run or takes too long. */
export function runInPlace(
  { folder, node }: NpmPlace,
  command: string,
  ...args: readonly string[]
): Promise<CommandResult> {
  return new Promise((settle, fail) => {
    const inherited = Object.entries(process.env).filter(([name]) => !SCRIPT_VARIABLES.test(name));
    const env = { ...Object.fromEntries(inherited), PATH: pathWith(node) };
    const options = { cwd: folder, env, timeout: NPM_MS, maxBuffer: 16 * 1024 * 1024 };
    const child = execFile(command, args, options, (error, stdout, stderr) => {
      const status = child.exitCode;
      if (status === null)
        fail(new Error(`${command} ${args.join(' ')}: ${error?.message ?? ''}\n${stderr}`));
      else settle({ status, stdout, stderr });
    });
    child.stdin?.end();
  });
}

/** As {@link runInPlace}. @throws Error with the output if the command does not exit with 0 */
export async function succeed(
  place: NpmPlace,
  command: string,
  ...args: readonly string[]
): Promise<CommandResult> {
  const result = await runInPlace(place, command, ...args);
  if (result.status === 0) return result;
  throw new Error(
    `${command} ${args.join(' ')} exited with ${result.status}\n${result.stdout}${result.stderr}`,
  );
}

/** The folders of a checkout's own programs are left out: a user has none. */
function pathWith(node: string): string {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const others = folders.filter(
    (folder) => !folder.includes('node_modules') && !folder.includes('node-gyp-bin'),
  );
  return [dirname(node), ...others].join(delimiter);
}
