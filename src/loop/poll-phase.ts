import { MessageChannel, type MessagePort } from 'node:worker_threads';

const deferred: (() => void)[] = [];
/** Wakes the thread. Null before the first deferral. */
let alarm: MessagePort | null = null;

/**
 * Runs the callback once in the poll phase of Node's event loop, after the current callback. `setImmediate`
 * would run it in the check phase.
 */
export function deferToPollPhase(callback: () => void): void {
  if (deferred.push(callback) > 1) return;
  alarm ??= createAlarm();
  alarm.postMessage(null);
}

function createAlarm(): MessagePort {
  const { port1, port2 } = new MessageChannel();
  port1.on('message', runDeferred);
  port1.unref();
  port2.unref();
  return port2;
}

function runDeferred(): void {
  for (const callback of deferred.splice(0)) callback();
}
