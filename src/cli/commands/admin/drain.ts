/** `sluice drain`: ends the connections of a running sluice at a limited rate. */
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { UsageError } from '../../../core/errors.ts';
import type { DrainAnswer } from '../../../protocol/admin/answers.ts';
import { DRAIN_PARAMETERS } from '../../../protocol/admin/command-parameters.ts';
import type { DrainStatus } from '../../../protocol/admin/status.ts';
import { AdminClient, withOptions } from '../../admin-client.ts';
import type { CommandOptions } from '../../arguments.ts';

const LOOK_PERIOD_MS = 500;
const BAR_WIDTH = 40;

/**
 * Starts a drain, or ends it with `--undo`. With `--watch`, waits until no connection remains.
 *
 * @returns 0, or 1 if there was nothing to undo
 * @throws UsageError if options exclude each other, StartError if the running sluice refuses
 */
export async function run(options: CommandOptions): Promise<number> {
  const { flags } = options;
  const scope = scopePath(flags.get('listener'), flags.get('cluster'), flags.get('endpoint'));
  const client = new AdminClient(options);
  if (flags.has('undo')) {
    const { status, message } = await client.post(`${scope}/undrain`);
    process.stdout.write(`${message}\n`);
    return status === 202 ? 0 : 1;
  }
  const path = withOptions(`${scope}/drain`, flags, Object.keys(DRAIN_PARAMETERS));
  const answer = (await client.post(path)) as DrainAnswer;
  process.stdout.write(`${answer.message}\n`);
  if (flags.has('watch')) await watch(client, answer.scope);
  return 0;
}

function scopePath(
  listener: string | undefined,
  cluster: string | undefined,
  endpoint: string | undefined,
): string {
  if (listener !== undefined && cluster !== undefined) {
    throw new UsageError('drain one of the two: a listener or a cluster');
  }
  if (endpoint !== undefined && cluster === undefined) {
    throw new UsageError('--endpoint needs the cluster that it belongs to: add --cluster NAME');
  }
  if (listener !== undefined) return `/listeners/${encodeURIComponent(listener)}`;
  if (cluster === undefined) return '';
  const path = `/clusters/${encodeURIComponent(cluster)}`;
  return endpoint === undefined ? path : `${path}/endpoints/${encodeURIComponent(endpoint)}`;
}

async function watch(client: AdminClient, scope: DrainStatus['scope']): Promise<void> {
  const atTerminal = process.stdout.isTTY;
  for (;;) {
    const { drains } = await client.status();
    const drain = drains.find((candidate) => isDeepStrictEqual(candidate.scope, scope));
    if (drain === undefined) {
      process.stdout.write(`${atTerminal ? '\n' : ''}the drain has been undone\n`);
      return;
    }
    process.stdout.write(atTerminal ? `\r${progressBar(drain)}` : `${progressBar(drain)}\n`);
    if (drain.remaining === 0) {
      if (atTerminal) process.stdout.write('\n');
      return;
    }
    await delay(LOOK_PERIOD_MS);
  }
}

/** Formats progress as `[#####.....]  50%  2500 of 5000 left  5.0 s`. */
export function progressBar({ total, remaining, seconds }: Omit<DrainStatus, 'scope'>): string {
  const share = total === 0 ? 1 : (total - remaining) / total;
  const filled = Math.floor(share * BAR_WIDTH);
  const bar = '#'.repeat(filled) + '.'.repeat(BAR_WIDTH - filled);
  const percent = String(Math.floor(share * 100)).padStart(3);
  return `[${bar}] ${percent}%  ${remaining} of ${total} left  ${seconds.toFixed(1)} s`;
}
