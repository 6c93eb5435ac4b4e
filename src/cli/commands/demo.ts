/** `sluice demo`: the WebSocket servers of the demo, in a process of their own. */
import { loadConfig } from '../../config/loader.ts';
import { messageOf } from '../../core/errors.ts';
import type { CommandOptions } from '../arguments.ts';
import { startBackends } from '../demo/backends.ts';

/** What it says over its IPC channel to the process that started it, once. */
export type DemoReport = { readonly type: 'ready' } | { readonly type: 'failed'; readonly message: string };

/**
 * Runs the demo's servers until SIGTERM or SIGINT, prints a line for each.
 *
 * A process that was forked says {@link DemoReport} to its parent and prints nothing. It ends as soon as the IPC
 * channel does, so that it never outlives its parent, and leaves SIGINT, which a terminal sends to both, to it.
 *
 * @returns the exit status: 0, or 1 where the failure has been said to the parent
 * @throws ConfigError or StartError where there is no parent to tell
 */
export async function run(options: CommandOptions): Promise<number> {
  const forked = process.send !== undefined;
  const { stopped, release } = watchForStop(forked);
  try {
    const { config } = loadConfig({
      file: options.configFile,
      overrides: options.overrides,
      env: options.env,
    });
    const backends = await startBackends(config);
    if (forked) await report({ type: 'ready' });
    else process.stdout.write(backends.lines.map((line) => `${line}\n`).join(''));
    await stopped;
    await backends.close();
    return 0;
  } catch (error) {
    if (!forked) throw error;
    await report({ type: 'failed', message: messageOf(error) });
    return 1;
  } finally {
    release();
  }
}

function watchForStop(forked: boolean): { stopped: Promise<void>; release: () => void } {
  const events = forked ? ['SIGTERM', 'disconnect'] : ['SIGTERM', 'SIGINT'];
  const ignore = (): void => undefined;
  let stop = ignore;
  const stopped = new Promise<void>((settle) => (stop = settle));
  for (const event of events) process.on(event, stop);
  if (forked) process.on('SIGINT', ignore);
  // The parent may have gone while this process was starting.
  if (forked && !process.connected) stop();
  const release = (): void => {
    for (const event of events) process.off(event, stop);
    process.off('SIGINT', ignore);
  };
  return { stopped, release };
}

/** Resolves when it has been handed over, or when nobody is there any more. */
function report(message: DemoReport): Promise<void> {
  return new Promise((settle) => {
    if (process.send === undefined) settle();
    else process.send(message, () => settle());
  });
}
