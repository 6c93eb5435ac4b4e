import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WorkerQuestions } from '../../../../../src/primary/access/sessions/worker-questions.ts';
import type { SessionAnswer } from '../../../../../src/protocol/access.ts';
import type { WorkerState } from '../../../../../src/protocol/admin/status.ts';
import type { ToWorker, WorkerKind } from '../../../../../src/protocol/to-worker.ts';

const QUESTION = { kind: 'close', id: 'a-1', code: 1008, reason: '' } as const;

/** A worker that notes what it is asked. */
class FakeWorker {
  readonly numbers: number[] = [];
  readonly name: string;
  readonly kind: WorkerKind;
  state: WorkerState;

  constructor(name: string, state: WorkerState = 'up') {
    this.name = name;
    this.kind = name.startsWith('l4') ? 'l4' : 'l7';
    this.state = state;
  }

  send(message: ToWorker): void {
    if (message.type === 'ask') this.numbers.push(message.number);
  }
}

function questionsFor(workers: FakeWorker[], stuck: FakeWorker[] = []): WorkerQuestions {
  return new WorkerQuestions({ workers: () => workers, stuck: () => stuck, maxMs: 1 });
}

function answer(count: number): SessionAnswer {
  return { count, rows: [], at: null };
}

describe('a question to all workers', () => {
  it("gathers the answers by each worker's number, including draining workers", async () => {
    const workers = [new FakeWorker('l7-0'), new FakeWorker('l7-1', 'draining'), new FakeWorker('l4-0')];
    const questions = questionsFor(workers);
    const asked = questions.ask(QUESTION);
    const [first, second, tunnels] = workers.map(({ numbers }) => numbers);
    assert.deepEqual([first?.length, second?.length, tunnels?.length], [1, 1, 0]);
    assert.notEqual(first?.[0], second?.[0]);
    questions.receive({ type: 'answer', number: second![0]!, answer: answer(2) });
    questions.receive({ type: 'answer', number: first![0]!, answer: answer(1) });
    assert.deepEqual(await asked, { answers: [answer(1), answer(2)], incomplete: [] });
  });

  it('names the workers that do not answer in time, each once', async () => {
    const workers = [new FakeWorker('l7-1'), new FakeWorker('l7-0', 'draining'), new FakeWorker('l7-1')];
    assert.deepEqual(await questionsFor(workers).ask(QUESTION), {
      answers: [],
      incomplete: ['l7-0', 'l7-1'],
    });
  });

  it('names stuck workers without asking them', async () => {
    const stuck = new FakeWorker('l7-0', 'stuck');
    const { incomplete } = await questionsFor([stuck], [stuck, new FakeWorker('l4-0', 'stuck')]).ask(
      QUESTION,
    );
    assert.deepEqual([incomplete, stuck.numbers], [['l7-0'], []]);
  });

  it('does not list a worker that fails in the meantime: its sessions are gone', async () => {
    const worker = new FakeWorker('l7-0');
    const asked = questionsFor([worker]).ask(QUESTION);
    worker.state = 'waiting';
    assert.deepEqual((await asked).incomplete, []);
  });

  it('is sent to a starting worker without waiting for it', async () => {
    const worker = new FakeWorker('l7-0', 'starting');
    assert.deepEqual(await questionsFor([worker]).ask(QUESTION), { answers: [], incomplete: [] });
    assert.equal(worker.numbers.length, 1);
  });

  it('ignores an answer that comes too late', async () => {
    const worker = new FakeWorker('l7-0');
    const questions = questionsFor([worker]);
    await questions.ask(QUESTION);
    questions.receive({ type: 'answer', number: worker.numbers[0]!, answer: answer(1) });
  });
});
