/** `sluice sessions`: lists the sessions of a running sluice. */
import { formatDuration } from '../../../core/units/duration.ts';
import type { SessionsAnswer } from '../../../protocol/admin/answers.ts';
import { AdminClient, withOptions } from '../../admin-client.ts';
import type { CommandOptions } from '../../arguments.ts';
import { narrowed, table } from '../../table.ts';

const HEAD = ['ID', 'PRINCIPAL', 'CLIENT', 'CLUSTER', 'AGE', 'ENDS'];
/** The principal, the client and the cluster. An ID must stay whole because other commands take it. */
const CUTTABLE = [1, 2, 3];

/**
 * Prints a table, or JSON with `--json`.
 *
 * @returns 0
 * @throws StartError if the running sluice refuses or does not answer
 */
export async function run(options: CommandOptions): Promise<number> {
  const names = ['principal', 'client', 'listener', 'cluster', 'endpoint', 'limit'];
  const path = withOptions('/sessions', options.flags, names);
  const text = await new AdminClient(options).get(path);
  if (options.flags.has('json')) {
    process.stdout.write(text);
    return 0;
  }
  // A pipe gets whole names, for programs that parse the table.
  const width = process.stdout.isTTY ? process.stdout.columns : Infinity;
  process.stdout.write(describeSessions(JSON.parse(text) as SessionsAnswer, Date.now(), width));
  return 0;
}

/**
 * Formats sessions as a table for a person.
 *
 * @param now milliseconds since 1970
 * @param width max characters per line
 */
export function describeSessions(
  { sessions, total, incomplete = [] }: SessionsAnswer,
  now: number,
  width: number,
): string {
  const rows = sessions.map(({ id, principal, client, cluster, openedAt, endsAt }) => [
    id,
    principal,
    client,
    cluster,
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
  return table(HEAD, narrowed(HEAD, rows, CUTTABLE, width)) + notes.join('');
}

/** Formats the time between two moments in its largest unit, rounded down: `5s`, `3h`. */
function between(from: number, to: number): string {
  const seconds = Math.max(0, Math.floor((to - from) / 1000));
  for (const unit of [86_400, 3600, 60]) {
    if (seconds >= unit) return formatDuration((seconds - (seconds % unit)) * 1000);
  }
  return `${seconds}s`;
}
