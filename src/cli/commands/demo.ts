/** `sluice demo`: runs the demo's WebSocket servers in a separate process. */
import { loadConfig } from '../../config/loader.ts';
import { messageOf } from '../../core/errors.ts';
import type { CommandOptions } from '../arguments.ts';
import { configSource } from '../config-file.ts';
import { startBackends } from '../demo/backends.ts';
import { shellWords } from '../serving/listen-remedy.ts';

/** The only IPC message to the process that forked the demo. */
export type DemoReport = { readonly type: 'ready' } | { readonly type: 'failed'; readonly message: string };

/**
 * Runs the demo's servers until SIGTERM or SIGINT. Prints one line per server.
 *
 * A forked process prints nothing: it sends a {@link DemoReport} to its parent. It ends when the IPC channel
 * closes, so it never outlives its parent. It ignores SIGINT, because a terminal sends SIGINT to both
 * processes and the parent ends this one.
 *
 * @returns the exit status: 0, or 1 if a failure was reported to the parent
 * @throws ConfigError or StartError if the process was not forked
 */
export async function run(options: CommandOptions): Promise<number> {
  const forked = process.send !== undefined;
  const { stopped, release } = watchForStop(forked);
  try {
    const source = configSource(options);
    const { config } = loadConfig(source);
    const backends = await startBackends(config);
    if (forked) await report({ type: 'ready' });
    else {
      const lines = [...backends.lines, ...(process.stdout.isTTY ? [nextStep(source.file)] : [])];
      process.stdout.write(lines.map((line) => `${line}\n`).join(''));
    }
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

/** Says how to see the page of the demo, whose URL is in the banner of the proxy. */
function nextStep(file: string): string {
  const command = shellWords(['sluice', 'run', '-c', file]);
  return `\nThese are the servers only, until Ctrl-C. This starts them and the proxy, with a page:\n  ${command}`;
}

function watchForStop(forked: boolean): { stopped: Promise<void>; release: () => void } {
  const events = forked ? ['SIGTERM', 'disconnect'] : ['SIGTERM', 'SIGINT'];
  const ignore = (): void => undefined;
  let stop = ignore;
  const stopped = new Promise<void>((settle) => (stop = settle));
  for (const event of events) process.on(event, stop);
  if (forked) process.on('SIGINT', ignore);
  // The parent may have ended during the start of this process.
  if (forked && !process.connected) stop();
  const release = (): void => {
    for (const event of events) process.off(event, stop);
    process.off('SIGINT', ignore);
  };
  return { stopped, release };
}

/** Resolves after the message is sent or fails to be sent. */
function report(message: DemoReport): Promise<void> {
  return new Promise((settle) => {
    if (process.send === undefined) settle();
    else process.send(message, () => settle());
  });
}
