/** PostgreSQL as a party that we did not write, where the machine has it. */
import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IssuedCertificate } from '../certificates.ts';
import { DEADLINE_MS } from '../deadline.ts';

const VERSIONS = '/usr/lib/postgresql';
/** PostgreSQL refuses to run as root. */
const USER = 'postgres';

/** Returns the directory of the newest PostgreSQL's programs; null if none is installed. */
export function postgresPrograms(): string | null {
  try {
    const versions = readdirSync(VERSIONS).sort((a, b) => Number(b) - Number(a));
    return versions[0] === undefined ? null : join(VERSIONS, versions[0], 'bin');
  } catch {
    return null;
  }
}

/**
 * Starts a server with TLS on port 5432 of an address, and waits until it is ready. Its user `postgres` needs no
 * password. Needs root.
 *
 * @returns a function that stops it
 */
export async function startPostgres(
  address: string,
  { cert, key }: IssuedCertificate,
): Promise<() => Promise<void>> {
  const programs = postgresPrograms()!;
  const directory = mkdtempSync(join(tmpdir(), 'sluice-postgres-'));
  const [uid, gid] = ['-u', '-g'].map((flag) =>
    Number(execFileSync('id', [flag, USER], { encoding: 'utf8' })),
  );
  const own = (path: string, mode: number): void => {
    chownSync(path, uid!, gid!);
    chmodSync(path, mode);
  };
  own(directory, 0o700);
  const data = join(directory, 'data');
  const files = { cert: join(directory, 'server.pem'), key: join(directory, 'server.key') };
  copyFileSync(cert, files.cert);
  copyFileSync(key, files.key);
  own(files.cert, 0o600);
  own(files.key, 0o600);
  mkdirSync(data);
  own(data, 0o700);
  const asUser = ['-u', USER, '--'];
  execFileSync(
    'runuser',
    [...asUser, join(programs, 'initdb'), '-D', data, '-A', 'trust', '--no-sync', '-N'],
    {
      stdio: 'ignore',
    },
  );
  writeFileSync(join(data, 'pg_hba.conf'), 'hostssl all all all trust\n');
  const settings = {
    listen_addresses: address,
    unix_socket_directories: directory,
    ssl: 'on',
    ssl_cert_file: files.cert,
    ssl_key_file: files.key,
    fsync: 'off',
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn('runuser', [...asUser, join(programs, 'postgres'), '-D', data, ...options], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise<void>((settle) => child.once('close', () => settle()));
  await new Promise<void>((settle, fail) => {
    let said = '';
    const timer = setTimeout(() => fail(new Error(`PostgreSQL takes too long: ${said}`)), DEADLINE_MS);
    void ended.then(() => fail(new Error(`PostgreSQL does not start: ${said}`)));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (!said.includes('ready to accept connections')) return;
      clearTimeout(timer);
      settle();
    });
  });
  return async () => {
    child.kill('SIGTERM');
    await ended;
    rmSync(directory, { recursive: true, force: true });
  };
}
