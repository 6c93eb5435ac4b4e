import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Passwords } from '../../../../../src/primary/access/passwords/passwords.ts';
import type { PasswordTask } from '../../../../../src/primary/access/passwords/password-task.ts';
import type { AccessCommand } from '../../../../../src/protocol/access.ts';
import { capture } from '../../fixtures/config.ts';

/** Keeps its tasks for the test. */
class FakeThread {
  readonly tasks: (PasswordTask & PromiseWithResolvers<boolean>)[] = [];
  isClosed = false;

  run(task: PasswordTask): Promise<boolean> {
    const settle = Promise.withResolvers<boolean>();
    this.tasks.push({ ...task, ...settle });
    return settle.promise;
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}

/** One run of a worker. */
class FakeWorker {
  readonly heard: AccessCommand[] = [];
  readonly #passwords: Passwords;
  #last = 0;

  constructor(passwords: Passwords) {
    this.#passwords = passwords;
  }

  readonly reply = (command: AccessCommand): void => void this.heard.push(command);

  /** Returns the number of the question. */
  ask(password: string, client = '192.0.2.7'): number {
    const number = ++this.#last;
    this.#passwords.verify({ type: 'verify_password', number, hash: 'hash', password, client }, this.reply);
    return number;
  }

  drop(number: number): void {
    this.#passwords.drop({ type: 'drop_password', number }, this.reply);
  }

  get results(): (readonly [number, boolean | null])[] {
    return this.heard.map((command) =>
      command.type === 'password' ? [command.number, command.matches] : assert.fail(),
    );
  }
}

function stage() {
  const { log, lines } = capture();
  const thread = new FakeThread();
  const clock = { now: 0 };
  const passwords = new Passwords(thread, log, () => clock.now);
  return { thread, clock, passwords, lines, worker: new FakeWorker(passwords) };
}

/** Lets everything happen that waits for nothing else. */
function settle(): Promise<unknown> {
  return new Promise(setImmediate);
}

describe('the passwords of all workers', () => {
  it('are compared one at a time', async () => {
    const { thread, passwords, worker } = stage();
    worker.ask('a');
    worker.ask('b');
    assert.deepEqual([thread.tasks.length, passwords.waiting], [1, 1]);
    thread.tasks[0]!.resolve(true);
    await settle();
    assert.deepEqual(worker.results, [[1, true]]);
    assert.deepEqual(thread.tasks[1]?.password, 'b');
    thread.tasks[1].resolve(false);
    await settle();
    assert.deepEqual(worker.results[1], [2, false]);
    assert.deepEqual(passwords.results, { match: 1, mismatch: 1, refused: 0, failed: 0 });
  });

  it('are compared once for all concurrent requests, and remembered', async () => {
    const { thread, passwords, worker } = stage();
    const other = new FakeWorker(passwords);
    worker.ask('a');
    worker.ask('a');
    other.ask('a');
    thread.tasks[0]!.resolve(true);
    await settle();
    other.ask('a');
    assert.equal(thread.tasks.length, 1);
    assert.deepEqual(worker.results, [
      [1, true],
      [2, true],
    ]);
    assert.deepEqual(other.results, [
      [1, true],
      [2, true],
    ]);
  });

  it('leave the queue when nobody waits for them', async () => {
    const { thread, passwords, worker } = stage();
    const other = new FakeWorker(passwords);
    worker.ask('runs');
    const dropped = worker.ask('dropped');
    worker.ask('shared');
    other.ask('shared');
    worker.drop(dropped);
    worker.drop(3);
    other.drop(17);
    assert.equal(passwords.waiting, 1);
    thread.tasks[0]!.resolve(false);
    await settle();
    assert.deepEqual(thread.tasks[1]?.password, 'shared');
    thread.tasks[1].resolve(true);
    await settle();
    assert.deepEqual([worker.results, other.results], [[[1, false]], [[1, true]]]);
    assert.equal(thread.tasks.length, 2);
  });

  it('are queued up to eight per client, then refused', () => {
    const { passwords, worker } = stage();
    for (let index = 0; index < 12; index++) worker.ask(`guess ${index}`);
    assert.equal(passwords.waiting, 8);
    assert.deepEqual(worker.results, [
      [10, null],
      [11, null],
      [12, null],
    ]);
    worker.ask('right', '192.0.2.8');
    assert.equal(passwords.waiting, 9);
    assert.equal(passwords.results.refused, 3);
  });

  it('from a new client displace the client with the most entries when 64 wait', () => {
    const { passwords, worker } = stage();
    for (let client = 0; client < 9; client++) {
      for (let index = 0; index < 8; index++) worker.ask(`guess ${client} ${index}`, `192.0.2.${client}`);
    }
    assert.equal(passwords.waiting, 64);
    const before = worker.heard.length;
    const other = new FakeWorker(passwords);
    other.ask('right', '198.51.100.1');
    assert.deepEqual(other.results, []);
    assert.equal(worker.heard.length, before + 1);
    assert.equal(passwords.waiting, 64);
  });

  it('of different clients take turns', async () => {
    const { thread, worker } = stage();
    for (const guess of ['1', '2', '3', '4']) worker.ask(guess);
    worker.ask('right', '192.0.2.8');
    for (let index = 0; index < 3; index++) {
      thread.tasks[index]!.resolve(false);
      await settle();
    }
    assert.deepEqual(
      thread.tasks.map(({ password }) => password),
      ['1', '2', 'right', '3'],
    );
  });

  it('get no answer if the thread fails, and the next password is compared', async () => {
    const { thread, passwords, worker, lines } = stage();
    worker.ask('a');
    worker.ask('b');
    thread.tasks[0]!.reject(new Error('the thread has exited'));
    await settle();
    thread.tasks[1]!.resolve(true);
    await settle();
    assert.deepEqual(worker.results, [
      [1, null],
      [2, true],
    ]);
    assert.deepEqual([passwords.results.failed, lines.length], [1, 1]);
    worker.ask('a');
    assert.equal(thread.tasks.length, 3);
  });

  it('count their time in the queue', async () => {
    const { thread, clock, passwords, worker } = stage();
    worker.ask('a');
    worker.ask('b');
    clock.now = 70;
    thread.tasks[0]!.resolve(true);
    await settle();
    assert.equal(passwords.waitedMs, 70);
  });

  it('are not started when the process ends', async () => {
    const { thread, passwords, worker, lines } = stage();
    worker.ask('a');
    worker.ask('b');
    await passwords.close();
    thread.tasks[0]!.reject(new Error('the thread has been ended'));
    await settle();
    assert.equal(thread.isClosed, true);
    assert.deepEqual([thread.tasks.length, lines.length], [1, 0]);
  });
});
