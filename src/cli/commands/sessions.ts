/** `sluice sessions`: lists the sessions of a running sluice. */
import { formatDuration } from '../../core/units/duration.ts';
import type { SessionsAnswer } from '../../protocol/admin-answers.ts';
import { AdminClient, withOptions } from '../admin-client.ts';
import type { CommandOptions } from '../arguments.ts';
import { table } from '../table.ts';

/** Max characters of a cell: a row then fits in 80 columns. */
const MAX_PRINCIPAL = 18;
const MAX_CLIENT = 15;
const MAX_CLUSTER = 10;

/**
 * Prints a table, or JSON with `--json`.
 *
 * @returns 0
 * @throws StartError if the running sluice refuses, or nobody answers
 */
export async function run(options: CommandOptions): Promise<number> {
  const path = withOptions('/sessions', options.flags, ['principal', 'cluster', 'client', 'limit']);
  const text = await new AdminClient(options).get(path);
  process.stdout.on('error', () => undefined);
  process.stdout.write(
    options.flags.has('json') ? text : describeSessions(JSON.parse(text) as SessionsAnswer, Date.now()),
  );
  return 0;
}

/**
 * Writes sessions as a table for a person.
 *
 * @param now milliseconds since 1970
 */
export function describeSessions({ sessions, total, incomplete = [] }: SessionsAnswer, now: number): string {
  const rows = sessions.map(({ id, principal, client, cluster, openedAt, endsAt }) => [
    id,
    cut(principal, MAX_PRINCIPAL),
    cut(client, MAX_CLIENT),
    cut(cluster, MAX_CLUSTER),
    between(Date.parse(openedAt), now),
    endsAt === null ? '-' : between(now, Date.parse(endsAt)),
  ]);
  const notes = [
    ...(sessions.length < total ? [`${sessions.length} of ${total} sessions: see --limit\n`] : []),
    ...(total === 0 ? ['no sessions\n'] : []),
    ...(incomplete.length > 0
      ? [`no answer from ${incomplete.join(', ')}: their sessions are missing\n`]
      : []),
  ];
  return table(['ID', 'PRINCIPAL', 'CLIENT', 'CLUSTER', 'AGE', 'ENDS'], rows) + notes.join('');
}

function cut(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max - 1)}…`;
}

/** Writes the time between two moments in its largest unit, rounded down: `5s`, `3h`. */
function between(from: number, to: number): string {
  const seconds = Math.max(0, Math.floor((to - from) / 1000));
  for (const unit of [86_400, 3600, 60]) {
    if (seconds >= unit) return formatDuration((seconds - (seconds % unit)) * 1000);
  }
  return `${seconds}s`;
}
