/** `npm run bench:peers`: downloads current releases of other proxies, beside the machine's own. */
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { StartError, UsageError } from '../../src/core/errors.ts';
import { markdownTable } from '../figures/tables.ts';
import { readOptions, runCommand, say } from '../options/command-line.ts';
import { RELEASES, versionOf } from '../peers/programs.ts';
import { Apt } from './apt.ts';
import { Unpacked } from './unpacked.ts';

const USAGE = `Usage: npm run bench:peers -- [OPTIONS]

Downloads current Debian packages of nginx, HAProxy and Caddy, and unpacks them into a folder.
Nothing else on the machine changes. bench:compare and bench:faults then measure the programs
in this folder instead of the installed ones.

      --suite NAME   suite of Debian (sid)
      --dir DIR      the folder (.peers, or the value of SLUICE_BENCH_PEERS)
  -h, --help         this text

With SLUICE_BENCH_PEERS= (empty) they measure the installed programs.
`;

const PROGRAMS = ['nginx', 'haproxy', 'caddy'] as const;
const PACKAGES = ['nginx', 'libnginx-mod-stream', 'haproxy', 'caddy'];

process.exitCode = await runCommand('bench:peers', () => main(process.argv.slice(2)));

function main(argv: readonly string[]): string {
  const { help, suite, directory } = readArguments(argv);
  return help ? USAGE : bring(directory, suite);
}

/**
 * Downloads the releases. Returns a table of the versions.
 *
 * @throws StartError if one of the programs does not run
 */
function bring(directory: string, suite: string): string {
  mkdirSync(directory, { recursive: true });
  // Proxies that start as root switch to another user, who must be able to read the directory.
  chmodSync(directory, 0o755);
  say(`downloading packages of Debian ${suite}`);
  const files = new Apt(join(directory, 'apt'), suite).download(PACKAGES);
  for (const old of ['root', 'bin']) rmSync(join(directory, old), { recursive: true, force: true });
  const unpacked = new Unpacked(directory);
  unpacked.add(files);
  const rows = PROGRAMS.map((name) => {
    const version = versionOf(name, unpacked.expose(name));
    if (version === null) throw new StartError(`the release of ${name} does not run`);
    return [name, versionOf(name, name) ?? 'none', version];
  });
  return `${markdownTable(['', "the machine's own", 'now measured'], rows).join('\n')}\n`;
}

function readArguments(argv: readonly string[]): { help: boolean; suite: string; directory: string } {
  const { help, suite, dir } = readOptions(argv, {
    suite: { type: 'string', default: 'sid' },
    dir: { type: 'string', default: RELEASES },
    help: { type: 'boolean', short: 'h', default: false },
  });
  if (!/^[a-z][\w-]*$/.test(suite)) throw new UsageError(`--suite ${suite}: write a name such as sid`);
  if (dir === '' || /['"\n]/.test(dir)) throw new UsageError(`--dir ${dir}: write a path without quotes`);
  return { help, suite, directory: resolve(dir) };
}
