import { threadId } from 'node:worker_threads';
import type { FromWorker } from '../protocol/from-worker.ts';
import { Pulse } from '../protocol/pulse.ts';
import type { ToWorker, WorkerStart } from '../protocol/to-worker.ts';
import { useDescriptorTable } from '../sys/descriptors/descriptor-table.ts';
import { releaseHeap } from '../sys/memory/heap.ts';
import { createWorkerLogger } from '../telemetry/worker-logger.ts';
import type { Environment } from './environment.ts';
import { ServiceThread } from './service-thread.ts';
import type { Service } from './service.ts';
import { warmUp } from './warm-up/warm-up.ts';

/** Length of one sleep of a frozen thread. */
const FREEZE_SLICE_MS = 10;

/**
 * Runs a service as a worker's task until it has drained or fails.
 *
 * An uncaught exception ends only this task, which rejects with it. The service is closed first, because open
 * native handles would abort the process.
 */
export async function runService(
  start: WorkerStart,
  create: (environment: Environment, start: WorkerStart) => Service,
): Promise<void> {
  const { port, config, name } = start;
  useDescriptorTable(start.descriptors);
  new Pulse(start.pulse).identify(threadId);
  const send = (message: FromWorker): void => port.postMessage(message);
  const log = createWorkerLogger(config.log, name, (lines) => send({ type: 'log', lines }));
  const outcome = Promise.withResolvers<undefined>();
  const onFault = (error: unknown): void => outcome.reject(error);
  process.on('uncaughtException', onFault);
  let thread: ServiceThread | null = null;
  try {
    if (start.kind === 'l7') {
      const warming = warmUp(start, create);
      // Must finish even after a fault: the services of the warm-up have native handles.
      const handshakes = await Promise.race([warming, outcome.promise]).finally(() => warming);
      log.debug({ handshakes }, 'warmed up');
    }
    const running = (thread = new ServiceThread(start, log, send, create));
    port.on('message', (command: ToWorker) => {
      switch (command.type) {
        case 'prepare':
          void running.prepare(command).then((problem) => {
            send({ type: 'prepared', generation: command.generation, problem });
          });
          break;
        case 'settle':
          running.settle(command.generation, command.commit);
          send({ type: 'settled', generation: command.generation });
          break;
        case 'pages':
          running.setPages(command.pages);
          break;
        case 'drain':
          running.drain(command);
          break;
        case 'undrain':
          running.undrain(command.scope);
          break;
        case 'end':
          running.end(command).then(() => outcome.resolve(undefined), onFault);
          break;
        case 'cluster':
          running.update(command.record);
          break;
        case 'evict':
          running.evict(command);
          break;
        case 'fault':
          setImmediate(() => {
            throw new Error('fault injected');
          });
          break;
        case 'freeze':
          setImmediate(() => freeze(command.forMs));
          break;
        case 'ask':
          send({ type: 'answer', number: command.number, answer: running.answer(command.question) });
          break;
        case 'password':
        case 'key_set':
        case 'revocations':
          running.handle(command);
          break;
        case 'tap_start':
        case 'tap_stop':
          running.tap(command);
          break;
        default:
          command satisfies never;
      }
    });
    // The heap is released after the routes are compiled, which leaves garbage, and before a client could
    // wait for the collection.
    await Promise.race([running.listen(releaseHeap), outcome.promise]);
    send({ type: 'listening', generation: running.generation });
    await outcome.promise;
  } finally {
    // Not inside the callback that failed: a native library may still be running around it.
    await turn();
    thread?.close();
    // Handles take two turns to close. The task may end only after that.
    await turn();
    await turn();
    process.off('uncaughtException', onFault);
    thread?.flush();
    log.flush();
    port.close();
  }
}

/**
 * Keeps the thread in a loop of short sleeps, so that a frozen thread does not take a core from the others.
 */
function freeze(forMs: number): void {
  const nobodyWakes = new Int32Array(new SharedArrayBuffer(4));
  const end = performance.now() + forMs;
  while (performance.now() < end) Atomics.wait(nobodyWakes, 0, 0, FREEZE_SLICE_MS);
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
