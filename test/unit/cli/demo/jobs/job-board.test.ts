import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { JobBoard } from '../../../../../src/cli/demo/jobs/job-board.ts';
import { Job } from '../../../../../src/cli/demo/jobs/job.ts';
import { FakeWebSocket } from '../../../../support/websocket/fake-web-socket.ts';

interface Message {
  readonly type: string;
  readonly id: string;
  readonly state?: string;
  readonly percent: number;
  readonly text?: string;
}

function connect(board: JobBoard): FakeWebSocket {
  const socket = new FakeWebSocket();
  board.connect(socket.asWebSocket(), { endpoint: '127.0.0.1:1' });
  return socket;
}

function tell(socket: FakeWebSocket, message: object): Message {
  socket.receive(JSON.stringify(message));
  return last(socket);
}

function last({ sent }: FakeWebSocket): Message {
  return JSON.parse(sent.at(-1)!) as Message;
}

describe('the job board', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'setInterval'] }));
  afterEach(() => mock.timers.reset());

  it('pushes the progress of a job to all who watch it, and to nobody else', () => {
    const board = new JobBoard();
    const [owner, friend, stranger] = [connect(board), connect(board), connect(board)];
    const { id } = tell(owner, { type: 'start' });
    tell(friend, { type: 'watch', id });
    mock.timers.tick(150);
    for (const watcher of [owner, friend]) {
      assert.deepEqual([last(watcher).id, last(watcher).state, last(watcher).percent], [id, 'running', 1]);
    }
    assert.equal(last(stranger).type, 'welcome');
    mock.timers.tick(99 * 150);
    assert.deepEqual([last(owner).state, last(owner).percent], ['done', 100]);
    const count = owner.sent.length;
    mock.timers.tick(1000);
    assert.equal(owner.sent.length, count);
  });

  it('continues a job whose client has left, and shows it to a later one', () => {
    const board = new JobBoard();
    const before = connect(board);
    const { id } = tell(before, { type: 'start' });
    before.emit('close');
    mock.timers.tick(10 * 150);
    const after = connect(board);
    assert.deepEqual(tell(after, { type: 'watch', id }).percent, 10);
    mock.timers.tick(150);
    assert.equal(last(after).percent, 11);
  });

  it('cancels a job, and tells its watchers', () => {
    const board = new JobBoard();
    const [owner, friend] = [connect(board), connect(board)];
    const { id } = tell(owner, { type: 'start' });
    assert.equal(tell(friend, { type: 'cancel', id }).state, 'cancelled');
    assert.equal(last(owner).state, 'cancelled');
    const count = owner.sent.length;
    mock.timers.tick(1000);
    assert.equal(owner.sent.length, count);
    assert.equal(tell(owner, { type: 'start' }).state, 'running');
  });

  it('runs one job of a client at a time, and 20 in all', () => {
    const board = new JobBoard();
    const clients = Array.from({ length: 21 }, () => connect(board));
    for (const client of clients.slice(0, 20)) assert.equal(tell(client, { type: 'start' }).state, 'running');
    assert.match(tell(clients[0]!, { type: 'start' }).text!, /Your job is still running/);
    assert.match(tell(clients[20]!, { type: 'start' }).text!, /20 jobs are running/);
    mock.timers.tick(100 * 150);
    assert.equal(tell(clients[20]!, { type: 'start' }).state, 'running');
  });

  it('cancels the oldest job that nobody watches when all places are taken', () => {
    const board = new JobBoard();
    const watching = connect(board);
    const watched = tell(watching, { type: 'start' }).id;
    const left = Array.from({ length: 19 }, () => {
      const client = connect(board);
      const { id } = tell(client, { type: 'start' });
      client.emit('close');
      return id;
    });
    assert.equal(tell(connect(board), { type: 'start' }).state, 'running');
    const states = [watched, ...left].map((id) => tell(connect(board), { type: 'watch', id }).state);
    assert.deepEqual(states, ['running', 'cancelled', ...Array<string>(18).fill('running')]);
  });

  it('remembers 200 jobs, and forgets the oldest ended one first', () => {
    const board = new JobBoard();
    const start = (): string => tell(connect(board), { type: 'start' }).id;
    const running = start();
    const ended = Array.from({ length: 199 }, () => {
      const id = start();
      tell(connect(board), { type: 'cancel', id });
      return id;
    });
    const stateOf = (id: string): string => {
      const { type, state } = tell(connect(board), { type: 'watch', id });
      return state ?? type;
    };
    assert.equal(stateOf(ended[0]!), 'cancelled');
    start();
    assert.deepEqual([running, ended[0]!, ended[1]!].map(stateOf), ['running', 'unknown', 'cancelled']);
  });

  it('refuses what is no message, and admits 1000 clients', () => {
    const board = new JobBoard();
    const client = connect(board);
    for (const text of ['{', '{"type":"watch"}', '{"type":"cancel","id":7}', '{"type":"run"}']) {
      client.receive(text);
      assert.equal(last(client).type, 'error', text);
    }
    assert.equal(tell(client, { type: 'watch', id: 'x' }).type, 'unknown');
    for (let n = 1; n < 1000; n++) connect(board);
    assert.equal(connect(board).ended, '1013 too many clients');
  });
});

describe('a job', () => {
  it('estimates pi within one percent', () => {
    const job = new Job();
    assert.equal(job.progress.estimate, null);
    for (let step = 0; step < 100; step++) job.step();
    const { state, points, estimate } = job.progress;
    assert.deepEqual([state, points], ['done', 2_000_000]);
    assert.ok(Math.abs(estimate! - Math.PI) < 0.03, String(estimate));
    job.cancel();
    assert.equal(job.progress.state, 'done');
  });
});
