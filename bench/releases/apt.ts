import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from '../../src/core/errors.ts';

/**
 * Downloads packages of another Debian suite into a directory. The machine's packages, lists and sources stay
 * untouched.
 */
export class Apt {
  readonly #archives: string;
  readonly #env: NodeJS.ProcessEnv;

  /**
   * @param directory holds all files of apt
   * @param suite Debian suite, such as `sid`
   * @throws StartError if the machine cannot download Debian packages
   */
  constructor(directory: string, suite: string) {
    if (!existsSync(KEYRING)) {
      throw new StartError(`${KEYRING} is missing: apt install debian-archive-keyring`);
    }
    this.#archives = join(directory, 'cache', 'archives');
    // Packages from an earlier run may belong to another release.
    rmSync(this.#archives, { recursive: true, force: true });
    for (const path of ['lists/partial', 'cache/archives/partial']) {
      mkdirSync(join(directory, path), { recursive: true });
    }
    const sources = join(directory, 'sources.list');
    writeFileSync(sources, `deb [signed-by=${KEYRING}] ${debianMirror()} ${suite} main\n`);
    writeFileSync(join(directory, 'status'), '');
    const config = join(directory, 'apt.conf');
    writeFileSync(config, configOf(directory, sources));
    this.#env = { ...process.env, APT_CONFIG: config, LC_ALL: 'C' };
  }

  /**
   * Downloads packages and their dependencies. Returns the paths of the files.
   *
   * @throws StartError with apt's message
   */
  download(packages: readonly string[]): string[] {
    run('apt-get', ['update', '-qq'], this.#env);
    run('apt-get', ['install', '-y', '-qq', '--download-only', ...packages], this.#env);
    const files = readdirSync(this.#archives).filter((name) => name.endsWith('.deb'));
    return files.map((name) => join(this.#archives, name));
  }
}

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
/** Mirror for machines without Debian in their apt sources. */
const OFFICIAL = 'http://deb.debian.org/debian/';

/**
 * Runs a program. Returns its stdout.
 *
 * @throws StartError with the last lines of its stderr
 */
export function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): string {
  const { error, status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', env });
  if (error !== undefined) throw new StartError(`${program} does not run: ${error.message}`);
  if (status === 0) return stdout;
  const lines = stderr.trim().split('\n').slice(-5).join('\n');
  throw new StartError(`${program} ${args[0] ?? ''} failed (${status}):\n${lines}`);
}

/** Returns the Debian mirror of the machine's own apt. */
function debianMirror(): string {
  const format = '$(ORIGIN) $(REPO_URI)';
  const targets = run('apt-get', ['indextargets', '--format', format, 'Created-By: Packages']);
  for (const line of targets.split('\n')) {
    const [origin, uri = ''] = line.split(' ');
    if (origin === 'Debian' && uri.endsWith('/debian/')) return uri;
  }
  return OFFICIAL;
}

/**
 * Returns settings that override the machine's apt configuration. Its other settings stay, such as proxies
 * and credentials.
 */
function configOf(directory: string, sources: string): string {
  const settings: Readonly<Record<string, string>> = {
    'Dir::Etc::SourceList': sources,
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::State': directory,
    'Dir::State::Lists': join(directory, 'lists'),
    'Dir::State::status': join(directory, 'status'),
    'Dir::Cache': join(directory, 'cache'),
    'Dir::Cache::archives': join(directory, 'cache', 'archives'),
    'APT::Install-Recommends': 'false',
    // apt's own user, `_apt`, cannot write here.
    'APT::Sandbox::User': 'root',
  };
  return Object.entries(settings)
    .map(([key, value]) => `${key} "${value}";\n`)
    .join('');
}
