/** Runs the commands of a document, as a reader would type them, beside a running sluice. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { load } from 'js-yaml';
import type { CertificateAuthority } from '../certificates.ts';
import { PROGRAM } from '../processes/program.ts';
import type { CodeBlock } from './blocks.ts';
import { isConfiguration, isWhole, makeFiles } from './config-blocks.ts';

/** The configuration for pages that have none. */
const DEFAULT_CONFIG = `
listeners:
  - { name: web, mode: l7, address: '127.0.0.1:8080', routes: [{ name: app, match: {}, cluster: app }] }
  - { name: tcp, mode: l4, address: '127.0.0.1:8081', cluster: app }
clusters:
  - { name: app, endpoints: [{ address: '127.0.0.1:9001' }] }
`;
const ADMIN = "admin: { address: '127.0.0.1:9480', token: a-token-of-the-operator-for-the-test }\n";
const RUN = /^((?:\w+=\S+ )*)sluice run (.*)$/gmu;

/** Max time of a page. */
const PAGE_MS = 240_000;

/** Functions of the script: `serve` replaces the running sluice, and waits until the new one is ready. */
const PRELUDE = `
set -eE
ip link set lo up
# Sockets of a page must not outlive it.
mount -t tmpfs tmpfs /run
trap 'echo "line $LINE: $BASH_COMMAND" >&2' ERR
stop() {
  [ -n "$SLUICE" ] || return 0
  kill -KILL "$SLUICE" 2>/dev/null && wait "$SLUICE" 2>/dev/null || true
  SLUICE=
}
serve() {
  stop
  : >log
  sluice run "$@" >>log 2>&1 &
  SLUICE=$!
  for ((i = 0; i < 600; i++)); do
    if grep -q '"msg":"ready"' log; then return 0; fi
    if ! kill -0 "$SLUICE" 2>/dev/null; then break; fi
    sleep 0.1
  done
  cat log >&2
  return 1
}
`;

/** All processes of a page end with its namespaces. */
const NAMESPACES = [
  ...(process.getuid?.() === 0 ? [] : ['--map-root-user']),
  ...['--net', '--pid', '--fork', '--kill-child', '--mount-proc'],
];

/** Reports whether this machine can isolate a page: needs root or user namespaces. */
export function canIsolate(): boolean {
  const script = 'ip link set lo up && mount -t tmpfs tmpfs /run';
  return spawnSync('unshare', [...NAMESPACES, 'sh', '-c', script], { timeout: 30_000 }).status === 0;
}

/** Whether the commands of a block can run in a test: no other machine, package manager or service manager. */
export function isRunnable({ language, note }: CodeBlock): boolean {
  return language === 'sh' && note === '';
}

/**
 * Runs the commands of a page in a separate network, so that all ports of the page are free.
 *
 * @throws Error if one fails
 */
export async function runPage(blocks: readonly CodeBlock[], authority: CertificateAuthority): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-page-'));
  try {
    mkdirSync(join(folder, 'bin'));
    const node = process.execPath;
    writeFileSync(join(folder, 'bin/sluice'), `#!/bin/sh\nexec ${node} ${PROGRAM} "$@"\n`, { mode: 0o755 });
    writeFileSync(join(folder, 'bin/node'), `#!/bin/sh\nexec ${node} "$@"\n`, { mode: 0o755 });
    const script = join(folder, 'page.sh');
    writeFileSync(script, scriptOf(blocks, folder, authority));
    const env = { ...process.env, PATH: `${folder}/bin:${process.env.PATH}`, SLUICE_WORKERS_WARMUP: '0s' };
    await promisify(execFile)('unshare', [...NAMESPACES, 'bash', script], {
      cwd: folder,
      env,
      timeout: PAGE_MS,
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Writes the script of a page: each configuration takes effect where the page shows it. */
function scriptOf(blocks: readonly CodeBlock[], folder: string, authority: CertificateAuthority): string {
  const wholes = blocks.filter((block) => isConfiguration(block) && isWhole(block));
  let config = servable(wholes[0]?.code ?? DEFAULT_CONFIG);
  let isServed = false;
  const lines = [PRELUDE, ...useConfig(config, folder, authority)];
  for (const block of blocks) {
    if (wholes.includes(block) && servable(block.code) !== config) {
      config = servable(block.code);
      lines.push(...useConfig(config, folder, authority));
      isServed = false;
    }
    if (!isRunnable(block)) continue;
    lines.push(`LINE=${block.line}`);
    const code = block.code.replaceAll(RUN, '$1serve $2');
    if (!isServed && code === block.code) lines.push('serve -c sluice.yaml');
    isServed = true;
    lines.push(code);
  }
  return lines.join('\n');
}

/** Returns a configuration with an admin token, and with echo servers as the endpoints of its first cluster. */
function servable(code: string): string {
  const config = load(code) as { admin?: unknown; demo?: unknown; clusters: { name: string }[] };
  const demo = config.demo === undefined ? `demo: { echo: ${config.clusters[0]!.name} }\n` : '';
  return `${config.admin === undefined ? ADMIN : ''}${demo}${code}`;
}

/** Returns commands that write a configuration and give the machine the addresses of its endpoints. */
function useConfig(config: string, folder: string, authority: CertificateAuthority): string[] {
  makeFiles(config, folder, authority);
  const addresses = new Set(
    Array.from(config.matchAll(/\b(?:10|192\.168|172\.16)(?:\.\d+)+(?=:\d)/gu), ([ip]) => ip),
  );
  const added = [...addresses].map((ip) => `ip address add ${ip}/32 dev lo 2>/dev/null || true`);
  return [...added, "cat >sluice.yaml <<'END_OF_CONFIG'", config.trimEnd(), 'END_OF_CONFIG'];
}
