/** A container with its own systemd: the machine’s programs, and empty /etc, /var and /run. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { PROGRAM, ROOT } from '../processes/program.ts';

/** Why this machine cannot boot a container. False if it can. */
export const noContainer = whyNot();

const MAX_LIFE_MS = 240_000;

/** Services of the machine that the container does not need. */
const MASKED = ['systemd-networkd-wait-online', 'systemd-networkd', 'systemd-journal-flush', 'dbus'];

function whyNot(): string | false {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return 'only root on Linux can boot a container';
  return spawnSync('systemd-nspawn', ['--version']).status === 0 ? false : 'systemd-nspawn is not installed';
}

/** Files that a script in a container left. */
interface Remains {
  /** Its file `results`: NAME=VALUE in each line. */
  readonly results: Readonly<Record<string, string>>;
  /** Returns a file that it wrote; empty if there is none. */
  readonly file: (name: string) => string;
}

/**
 * Boots the container, runs a script as root, and stops it. The script finds the project in /opt/sluice, Node in
 * /opt/node, the program in $PROGRAM, and writes to /out.
 */
export async function runInContainer(script: string): Promise<Remains> {
  const out = mkdtempSync(join(tmpdir(), 'sluice-container-'));
  try {
    const unit = join(out, 'unit');
    writeFileSync(unit, unitOf(script));
    const machine = `sluice-test-${process.pid}`;
    const container = spawn(
      'systemd-nspawn',
      [
        ...['--quiet', '--directory=/', '--volatile=yes', '--boot', '--register=no', '--keep-unit'],
        ...['--private-network', `--machine=${machine}`, '--console=pipe', '--tmpfs=/usr/local'],
        ...[`--bind-ro=${ROOT}:/opt/sluice`, `--bind-ro=${process.execPath}:/opt/node`, `--bind=${out}:/out`],
        `--bind-ro=${unit}:/etc/systemd/system/sluice-test.service`,
        ...['systemd.unit=sluice-test.service', 'systemd.firstboot=off', 'systemd.show_status=no'],
        ...MASKED.map((service) => `systemd.mask=${service}.service`),
        'systemd.mask=dbus.socket',
      ],
      { stdio: 'ignore', timeout: MAX_LIFE_MS, killSignal: 'SIGKILL' },
    );
    await new Promise((resolve, reject) => container.once('error', reject).once('close', resolve));
    const read = (name: string): string => {
      try {
        return readFileSync(join(out, name), 'utf8');
      } catch {
        return '';
      }
    };
    // Read before the folder is removed.
    const files = new Map(['results', 'log', 'journal'].map((name) => [name, read(name)]));
    const lines = files.get('results')!.trimEnd().split('\n');
    const results = Object.fromEntries(
      lines.map((line) => [line.split('=', 1)[0]!, line.slice(line.indexOf('=') + 1)]),
    );
    return { results, file: (name) => files.get(name) ?? '' };
  } finally {
    rmSync(out, { recursive: true });
  }
}

/** The container ends with this unit. */
function unitOf(script: string): string {
  return `[Unit]
DefaultDependencies=no
Requires=basic.target
After=basic.target
SuccessAction=exit-force
FailureAction=exit-force
[Service]
Type=oneshot
Environment=PROGRAM=/opt/sluice/${relative(ROOT, PROGRAM)}
ExecStart=/bin/bash /opt/sluice/${relative(ROOT, script)}
TimeoutStartSec=${MAX_LIFE_MS / 1000 - 30}
`;
}
