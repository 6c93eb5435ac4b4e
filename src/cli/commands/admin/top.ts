/** `sluice top`: shows the live state and rates of a running sluice. */
import { StartError, messageOf } from '../../../core/errors.ts';
import type { EventPage } from '../../../protocol/admin/events.ts';
import type { LiveFrame } from '../../../protocol/admin/live.ts';
import { AdminClient } from '../../admin-client.ts';
import type { CommandOptions } from '../../arguments.ts';
import type { EventLog } from '../../top/event-table.ts';
import { plainText, symbolsOf } from '../../terminal/line.ts';
import { followLive } from '../../top/live-reader.ts';
import { TopProgram } from '../../top/program.ts';
import { LiveModel } from '../../top/rates.ts';
import { Terminal } from '../../terminal/terminal.ts';
import { print } from '../../top/view.ts';

/** Interval of event requests while the events are on the screen. */
const EVENTS_MS = 1000;
const EVENTS_PATH = '/events?limit=200';
const NO_TOKEN = 'events need admin.token: set it in the file, or as SLUICE_ADMIN_TOKEN';

/**
 * Shows the state until a key or a signal ends it. Prints it once as text if the output is not a capable
 * terminal, and once as JSON with `--json`.
 *
 * @returns 0, or 128 plus the number of the signal that ended it
 * @throws StartError if the admin server does not answer
 */
export async function run(options: CommandOptions): Promise<number> {
  const client = new AdminClient(options);
  const { TERM: terminal = 'dumb' } = options.env;
  if (options.flags.has('json')) {
    process.stdout.write(`${(await client.get('/live?once')).trimEnd()}\n`);
    return 0;
  }
  if (!process.stdout.isTTY || terminal === 'dumb') return printOnce(client, options.env);
  return show(client, options.env);
}

/** Waits for two frames, because rates are their difference. */
async function printOnce(client: AdminClient, env: CommandOptions['env']): Promise<number> {
  const ending = new AbortController();
  const frames: LiveFrame[] = [];
  const problems: string[] = [];
  await followLive(
    (signal) => client.live(signal),
    {
      onFrame: (frame) => {
        if (frames.push(frame) === 2) ending.abort();
      },
      onLost: (reason) => {
        problems.push(reason);
        ending.abort();
      },
    },
    ending.signal,
  );
  const [first, second] = frames;
  if (first === undefined) throw new StartError(problems.join(', '));
  const model = second === undefined ? new LiveModel(first, null) : new LiveModel(second, first);
  const notices = { paused: false, lost: null, restarted: false };
  const lines = print({ model, notices, symbols: symbolsOf(env) });
  process.stdout.write(lines.map((line) => `${plainText(line)}\n`).join(''));
  return 0;
}

async function show(client: AdminClient, env: CommandOptions['env']): Promise<number> {
  const ending = new AbortController();
  const top: {
    program: TopProgram | null;
    terminal: Terminal | null;
    status: number;
    problem: string | null;
  } = { program: null, terminal: null, status: 0, problem: null };
  const end = (status: number): void => {
    top.status = status;
    ending.abort();
  };
  const begin = (first: LiveFrame): void => {
    const terminal = new Terminal(process.stdin, process.stdout, {
      onKey: (key) => top.program?.onKey(key),
      onRedraw: () => top.program?.onRedraw(),
      onEnd: end,
    });
    top.terminal = terminal;
    const host = {
      get size() {
        return terminal.size;
      },
      write: (text: string) => terminal.write(text),
      suspend: () => terminal.suspend(),
      quit: () => end(0),
    };
    const looks = { symbols: symbolsOf(env), colours: (env.NO_COLOR ?? '') === '' };
    top.program = new TopProgram(host, looks, first);
  };
  let reading = false;
  let refused: EventLog | null = null;
  const timer = setInterval(() => {
    const { program } = top;
    if (reading || program?.wantsEvents !== true) return;
    if (refused !== null) {
      program.onEvents(refused);
      return;
    }
    reading = true;
    void readEvents(client, ending.signal).then(({ events, isRefused }) => {
      reading = false;
      if (isRefused) refused = events;
      if (!ending.signal.aborted) program.onEvents(events);
    });
  }, EVENTS_MS);
  try {
    await followLive(
      (signal) => client.live(signal),
      {
        onFrame: (frame) => {
          if (top.program === null) begin(frame);
          else top.program.onFrame(frame);
        },
        onLost: (reason) => {
          // A new process may accept the token.
          refused = null;
          if (top.program === null) {
            top.problem = reason;
            ending.abort();
          } else top.program.onLost(reason);
        },
      },
      ending.signal,
    );
  } finally {
    clearInterval(timer);
    top.terminal?.close();
  }
  if (top.problem !== null) throw new StartError(top.problem);
  return top.status;
}

/**
 * Fetches the events. A refusal is not retried: one wrong token a second would look like a guessing attack.
 */
async function readEvents(
  client: AdminClient,
  signal: AbortSignal,
): Promise<{ readonly events: EventLog; readonly isRefused: boolean }> {
  if (!client.hasToken) return { events: { rows: [], problem: NO_TOKEN }, isRefused: true };
  try {
    const page = JSON.parse(await client.get(EVENTS_PATH, signal)) as EventPage;
    return { events: { rows: page.events, problem: null }, isRefused: false };
  } catch (error) {
    // The error has a cause only if no answer arrived.
    const isRefused = error instanceof StartError && error.cause === undefined;
    return { events: { rows: [], problem: messageOf(error) }, isRefused };
  }
}
