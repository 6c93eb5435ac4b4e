import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Question } from '../../../../src/primary/workers/question.ts';

const settle = { type: 'settle', generation: 2, commit: true } as const;
const MAX_MS = 60_000;

describe('a question to a worker', () => {
  it('is answered only by the answer to its command and generation', async () => {
    const question = new Question(settle, 'l7-0', MAX_MS);
    question.receive({ type: 'prepared', generation: 2, problem: 'from the previous command' });
    question.receive({ type: 'settled', generation: 1 });
    question.receive({ type: 'settled', generation: 2 });
    assert.equal(await question.problem, null);
  });

  it('names the worker that has a problem', async () => {
    const prepare = { type: 'prepare', generation: 2 } as ConstructorParameters<typeof Question>[0];
    const question = new Question(prepare, 'l7-0', MAX_MS);
    question.receive({ type: 'prepared', generation: 2, problem: 'no memory' });
    assert.equal(await question.problem, 'worker l7-0: no memory');
  });

  it('ends after a timeout, or when it is dropped', async () => {
    assert.equal(await new Question(settle, 'l7-0', 1).problem, 'worker l7-0: no answer within 0.001 s');
    const question = new Question(settle, 'l7-0', MAX_MS);
    question.drop();
    assert.equal(await question.problem, null);
  });
});
