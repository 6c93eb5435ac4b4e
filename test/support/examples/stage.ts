/** The surroundings of an example: names, addresses, certificates, and sluice itself. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { appendFileSync, copyFileSync, mkdirSync } from 'node:fs';
import type { CertificateAuthority } from '../certificates.ts';
import { DEADLINE_MS } from '../deadline.ts';
import { PROGRAM } from '../processes/program.ts';

/** Makes host names lead to this machine. */
export function nameHosts(...names: readonly string[]): void {
  appendFileSync('/etc/hosts', `127.0.0.1 ${names.join(' ')}\n`);
}

/** Gives this machine more IPv4 addresses. */
export function addAddresses(...addresses: readonly string[]): void {
  for (const address of addresses) execFileSync('ip', ['address', 'add', `${address}/32`, 'dev', 'lo']);
}

/** Issues the certificate of the example: `tls/fullchain.pem` and `tls/privkey.pem`. */
export function placeCertificate(
  authority: CertificateAuthority,
  names: readonly [string, ...string[]],
): void {
  const { cert, key } = authority.issue(
    names[0],
    names.map((name) => `DNS:${name}`),
  );
  mkdirSync('/etc/sluice/tls', { recursive: true });
  copyFileSync(cert, '/etc/sluice/tls/fullchain.pem');
  copyFileSync(key, '/etc/sluice/tls/privkey.pem');
}

/** A running sluice. */
export interface RunningExample {
  /** Lines of its standard output so far. */
  readonly lines: readonly string[];
  readonly child: ChildProcess;
  /** Sends SIGTERM and waits for the end. Resolves with the exit status. */
  readonly stop: () => Promise<number | null>;
}

/**
 * Runs `sluice run` with `/etc/sluice/sluice.yaml`, and waits until it is ready.
 *
 * @param args more arguments
 * @throws Error with its output if it ends or takes too long
 */
export function runExample(
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<RunningExample> {
  const lines: string[] = [];
  let errors = '';
  const child = spawn(process.execPath, [PROGRAM, 'run', '-c', '/etc/sluice/sluice.yaml', ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((settle) => child.once('close', settle));
  const stop = (): Promise<number | null> => {
    child.kill('SIGTERM');
    return ended;
  };
  return new Promise((settle, fail) => {
    const refuse = (why: string): void => {
      child.kill('SIGKILL');
      fail(new Error(`${why}\n${lines.join('\n')}\n${errors}`));
    };
    const timer = setTimeout(() => refuse('sluice took too long to start'), DEADLINE_MS);
    void ended.then((status) => {
      clearTimeout(timer);
      refuse(`sluice ended with ${status}`);
    });
    let rest = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const parts = (rest + text).split('\n');
      rest = parts.pop() ?? '';
      lines.push(...parts);
      if (!parts.some((line) => /"msg":"ready"|\bready\b/u.test(line))) return;
      clearTimeout(timer);
      settle({ lines, child, stop });
    });
  });
}
