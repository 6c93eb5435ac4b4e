/** Isolates one example: all ports, addresses, host names and system folders are free. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { ROOT } from '../processes/program.ts';

/** Set inside. */
const MARK = 'SLUICE_EXAMPLE_INSIDE';
const MAX_MS = 120_000;
const NAMESPACES = [
  ...(process.getuid?.() === 0 ? [] : ['--map-root-user']),
  ...['--net', '--pid', '--fork', '--kill-child', '--mount-proc'],
];
/** The example's folder becomes /etc/sluice. The real /etc, /srv and /var/log stay as they are. */
const PREPARE = `
set -e
ip link set lo up
mount -t tmpfs tmpfs /run
cp -a /etc /run/etc
mount --bind /run/etc /etc
mount -t tmpfs tmpfs /srv
mount -t tmpfs tmpfs /var/log
rm -rf /etc/sluice
cp -r "$1" /etc/sluice
cd /etc/sluice
shift
exec "$@"
`;

/**
 * Tests an example of `config/examples` in a separate network, process table and file system.
 *
 * @param file the test file, which runs again inside
 * @param name the example's folder
 * @param tests registers the tests that run inside
 */
export function testExample(file: string, name: string, tests: () => void): void {
  if (process.env[MARK] !== undefined) {
    describe(name, tests);
    return;
  }
  const skip = canIsolate() ? false : 'the machine allows no namespaces';
  it(`example ${name} does its job as it is`, { skip, timeout: MAX_MS }, () => runInside(file, name));
}

async function runInside(file: string, name: string): Promise<void> {
  const example = join(ROOT, 'config/examples', name);
  const env: NodeJS.ProcessEnv = { ...process.env, [MARK]: '1', SLUICE_WORKERS_WARMUP: '0s' };
  // The runner inside must print, and not report to the runner outside.
  delete env.NODE_TEST_CONTEXT;
  const command = [
    ...NAMESPACES,
    'sh',
    '-c',
    PREPARE,
    'sh',
    example,
    process.execPath,
    '--test-reporter=spec',
    file,
  ];
  try {
    const limits = { timeout: MAX_MS, maxBuffer: 16 * 1024 * 1024 };
    const { stdout } = await promisify(execFile)('unshare', command, { env, ...limits });
    assert.match(stdout, /^\S+ pass [1-9]/mu, 'no test ran inside');
  } catch (error) {
    const { stdout, stderr } = error as { readonly stdout?: string; readonly stderr?: string };
    throw new Error(`${stdout ?? ''}${stderr ?? ''}`, { cause: error });
  }
}

/** Whether this machine allows such namespaces: needs root or user namespaces. */
function canIsolate(): boolean {
  const script = 'ip link set lo up && mount -t tmpfs tmpfs /run';
  return spawnSync('unshare', [...NAMESPACES, 'sh', '-c', script], { timeout: 30_000 }).status === 0;
}
