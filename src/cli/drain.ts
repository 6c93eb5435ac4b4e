/** `sluice drain`: makes a running sluice end connections at a pace. */
import { setTimeout as delay } from 'node:timers/promises';
import { UsageError } from '../core/errors.ts';
import { AdminClient, type DrainStatus } from './admin-client.ts';
import type { CommandOptions } from './arguments.ts';

const LOOK_MS = 500;
const BAR_WIDTH = 40;

/**
 * Begins a drain, or ends it with `--undo`; `--watch` waits until nothing is left.
 *
 * @returns 0
 * @throws UsageError for options that do not go together, StartError where the running sluice refuses
 */
export async function run(options: CommandOptions): Promise<number> {
  const { flags } = options;
  const [listener, cluster] = [flags.get('listener'), flags.get('cluster')];
  if (listener !== undefined && cluster !== undefined) {
    throw new UsageError('drain one of the two: a listener or a cluster');
  }
  const scope =
    listener !== undefined
      ? `/listeners/${encodeURIComponent(listener)}`
      : cluster !== undefined
        ? `/clusters/${encodeURIComponent(cluster)}`
        : '';
  const client = new AdminClient(options);
  if (flags.has('undo')) {
    process.stdout.write((await client.post(`${scope}/undrain`)).body);
    return 0;
  }
  const query = new URLSearchParams();
  for (const key of ['rate', 'deadline', 'jitter']) {
    const value = flags.get(key);
    if (value !== undefined) query.set(key, value);
  }
  const { body } = await client.post(`${scope}/drain?${query.toString()}`);
  const begun = JSON.parse(body) as DrainStatus;
  process.stdout.write(`draining ${begun.total} sessions and tunnels\n`);
  if (flags.has('watch')) await watch(client, begun.scope);
  return 0;
}

async function watch(client: AdminClient, scope: DrainStatus['scope']): Promise<void> {
  const atTerminal = process.stdout.isTTY;
  for (;;) {
    const { drains } = await client.status();
    const drain = drains.find(({ scope: { kind, name } }) => kind === scope.kind && name === scope.name);
    if (drain === undefined) {
      process.stdout.write('\nthe drain has been undone\n');
      return;
    }
    process.stdout.write(atTerminal ? `\r${progressBar(drain)}` : `${progressBar(drain)}\n`);
    if (drain.remaining === 0) {
      if (atTerminal) process.stdout.write('\n');
      return;
    }
    await delay(LOOK_MS);
  }
}

/** `[#####.....]  50%  2500 of 5000 left  5.0 s` */
export function progressBar({ total, remaining, seconds }: Omit<DrainStatus, 'scope'>): string {
  const share = total === 0 ? 1 : (total - remaining) / total;
  const filled = Math.floor(share * BAR_WIDTH);
  const bar = '#'.repeat(filled) + '.'.repeat(BAR_WIDTH - filled);
  const percent = String(Math.floor(share * 100)).padStart(3);
  return `[${bar}] ${percent}%  ${remaining} of ${total} left  ${seconds.toFixed(1)} s`;
}
