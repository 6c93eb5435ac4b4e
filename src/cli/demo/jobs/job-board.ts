import type { WebSocket } from 'ws';
import type { Carriers, DemoApp } from '../backend.ts';
import { Client } from '../client.ts';
import { readObject } from '../json-object.ts';
import { Job } from './job.ts';
import type { Progress } from './job.ts';

const MAX_CLIENTS = 1000;
const MAX_MESSAGES = 10;
const WINDOW_MS = 5000;
const MAX_RUNNING = 20;
/** Max jobs to remember. The oldest ended one is forgotten first. */
const MAX_JOBS = 200;
/** Time between two of a job's hundred steps. */
const STEP_MS = 150;

/** Messages of clients. A client watches the job that it named last. */
type FromClient = { readonly type: 'start' } | { readonly type: 'watch' | 'cancel'; readonly id: string };

type ToClient =
  | { readonly type: 'welcome'; readonly endpoint: string }
  | Progress
  /** The job is unknown or forgotten. */
  | { readonly type: 'unknown'; readonly id: string }
  | { readonly type: 'error' | 'notice'; readonly text: string };

/**
 * Long jobs, whose progress is pushed to those who watch them. All endpoints of a cluster share the jobs: a
 * client that reconnects finds its job again on any of them.
 */
export class JobBoard implements DemoApp {
  readonly name = 'job board';
  readonly description =
    'Open a WebSocket and send {"type":"start"}: the progress of a job is pushed to you.';
  readonly maxMessageSize = 256;
  readonly subprotocol = null;
  /** In the order of their starts. */
  readonly #jobs = new Map<string, Job>();
  readonly #watchers = new Set<Watcher>();
  #timer: NodeJS.Timeout | null = null;

  connect(socket: WebSocket, { endpoint }: Carriers): void {
    if (this.#watchers.size >= MAX_CLIENTS) {
      socket.close(1013, 'too many clients');
      return;
    }
    const watcher = new Watcher(socket, endpoint, { messages: MAX_MESSAGES, windowMs: WINDOW_MS });
    this.#watchers.add(watcher);
    watcher.listen(
      (text) => this.#receive(watcher, text),
      () => watcher.tell({ type: 'notice', text: watcher.limitNotice }),
    );
    socket.once('close', () => this.#watchers.delete(watcher));
    watcher.tell({ type: 'welcome', endpoint });
  }

  #receive(watcher: Watcher, text: string | null): void {
    const message = text === null ? 'Messages are text.' : readMessage(text);
    if (typeof message === 'string') {
      watcher.tell({ type: 'error', text: message });
      return;
    }
    if (message.type === 'start') {
      this.#start(watcher);
      return;
    }
    const job = this.#jobs.get(message.id);
    if (job === undefined) {
      watcher.tell({ type: 'unknown', id: message.id });
      return;
    }
    watcher.job = job;
    if (message.type === 'cancel') {
      job.cancel();
      this.#push(job);
    } else {
      watcher.tell(job.progress);
    }
  }

  #start(watcher: Watcher): void {
    if (watcher.started?.isRunning === true) {
      watcher.tell({ type: 'notice', text: 'Your job is still running. Cancel it to start another.' });
      return;
    }
    if (!this.#makeRoom()) {
      watcher.tell({ type: 'notice', text: `${MAX_RUNNING} jobs are running. Try again in a few seconds.` });
      return;
    }
    this.#forgetOldest();
    const job = new Job();
    this.#jobs.set(job.id, job);
    watcher.job = watcher.started = job;
    watcher.tell(job.progress);
    this.#timer ??= setInterval(() => this.#step(), STEP_MS);
    // The timer must not keep the process alive: a job continues without watchers.
    this.#timer.unref();
  }

  /**
   * Makes room for another running job: cancels the oldest one that nobody watches. Otherwise one client could
   * take all places by reconnecting.
   *
   * @returns false if all places have jobs that are watched
   */
  #makeRoom(): boolean {
    const running = this.#running();
    if (running.length < MAX_RUNNING) return true;
    const watched = new Set([...this.#watchers].map(({ job }) => job));
    const unwatched = running.find((job) => !watched.has(job));
    unwatched?.cancel();
    return unwatched !== undefined;
  }

  #forgetOldest(): void {
    if (this.#jobs.size < MAX_JOBS) return;
    for (const [id, { isRunning }] of this.#jobs) {
      if (isRunning) continue;
      this.#jobs.delete(id);
      return;
    }
  }

  #step(): void {
    const running = this.#running();
    for (const job of running) {
      job.step();
      this.#push(job);
    }
    if (running.length > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  #running(): Job[] {
    return [...this.#jobs.values()].filter(({ isRunning }) => isRunning);
  }

  /** Tells all watchers of a job its progress. */
  #push(job: Job): void {
    const json = JSON.stringify(job.progress);
    for (const watcher of this.#watchers) {
      if (watcher.job !== job) continue;
      if (job.isRunning) watcher.sendSnapshot(json);
      else watcher.send(json);
    }
  }
}

/** One client of the job board. */
class Watcher extends Client {
  /** The job that the client watches. */
  job: Job | null = null;
  /** The last job that the client has started. */
  started: Job | null = null;

  tell(message: ToClient): void {
    this.send(JSON.stringify(message));
  }
}

function readMessage(json: string): FromClient | string {
  const message = readObject(json);
  if (typeof message === 'string') return message;
  const { type, id } = message;
  if (type === 'start') return { type };
  if (type !== 'watch' && type !== 'cancel') return 'The type of a message is start, watch or cancel.';
  return typeof id === 'string' ? { type, id } : `A ${type} has the id of a job.`;
}
