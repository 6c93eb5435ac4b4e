import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseArguments } from '../../../../src/cli/arguments.ts';
import type { PemChecks } from '../../../../src/cli/edge/key-pair.ts';
import { askOpen } from '../../../../src/cli/edge/questions.ts';
import { StartError } from '../../../../src/core/errors.ts';

interface Dialogue {
  readonly questions: readonly string[];
  readonly problems: readonly string[];
  readonly flags: Readonly<Record<string, string>>;
  readonly operands: readonly string[];
}

/** Files that end in .pem are certificates, and those that end in .key are keys. */
const PEM: PemChecks = {
  certificate: (cert) => {
    if (!cert.endsWith('.pem')) throw new StartError(`--cert: ${cert} is no certificate`);
  },
  key: (key) => {
    if (!key.endsWith('.key')) throw new StartError(`--key: ${key} is no key`);
  },
};

/** Answers the questions of `sluice init` in order. */
async function dialogue(argv: readonly string[], answers: readonly string[]): Promise<Dialogue> {
  const invocation = parseArguments(['init', ...argv], {});
  assert.ok(invocation.kind === 'command');
  const questions: string[] = [];
  const problems: string[] = [];
  const { flags, operands } = await askOpen(
    invocation.options,
    (question) => {
      const answer = answers[questions.push(question) - 1];
      assert.ok(answer !== undefined, `no answer to ${question}`);
      return Promise.resolve(answer);
    },
    (problem) => problems.push(problem),
    PEM,
  );
  assert.equal(questions.length, answers.length, 'an answer is left');
  return { questions, problems, flags: Object.fromEntries(flags), operands };
}

describe('the questions of sluice init', () => {
  it('are five, with defaults', async () => {
    const { questions, flags, operands } = await dialogue([], ['', '', '', '', '']);
    assert.deepEqual([flags, operands], [{}, ['3000']]);
    assert.match(
      questions.join('\n'),
      /\[3000\].*\n.*\[any\].*\n.*\[no TLS\].*\n.*\[127\.0\.0\.1:8080\].*\n.*\[Y\/n\]/,
    );
  });

  it('take a port alone as one of all addresses with TLS, and of this machine without', async () => {
    const withTls = await dialogue([], ['', '', 'a.pem', 'a.key', '8443', 'n']);
    assert.equal(withTls.flags.listen, ':8443');
    const plain = await dialogue([], ['', '', '', '8081', 'n']);
    assert.equal(plain.flags.listen, '8081');
  });

  it('refuse a number as a host', async () => {
    const { problems } = await dialogue([], ['', '23000', '', '', '', 'n']);
    assert.match(problems.join(), /23000 is a number: write a name/);
  });

  it('ask for the key of a certificate, and then take the port of HTTPS', async () => {
    const answers = ['3000, 3001', 'chat.example.com', 'a.pem', 'a.key', '', 'n'];
    const { questions, flags, operands } = await dialogue([], answers);
    assert.deepEqual(operands, ['3000', '3001']);
    assert.deepEqual(flags, { host: 'chat.example.com', cert: 'a.pem', key: 'a.key', 'no-token': '' });
    assert.match(questions[4]!, /\[:443\]/);
  });

  it('leave out what an argument answers', async () => {
    const argv = ['3000', '--host', 'a', '--listen', ':80', '--no-token'];
    const { questions } = await dialogue(argv, ['']);
    assert.match(questions[0]!, /certificate/);
  });

  it('come again after an answer that is not valid', async () => {
    const tls = ['a.key', 'a.pem', '', 'a.pem', 'a.key'];
    const answers = ['x', '1', 'a b', 'a', ...tls, '::1', ':80', 'maybe', 'YES'];
    const { problems, flags } = await dialogue([], answers);
    assert.equal(problems.length, 7);
    assert.deepEqual(problems.slice(2, 5), [
      'a.key is no certificate',
      'a certificate needs its key',
      'a.pem is no key',
    ]);
    assert.deepEqual(flags, { host: 'a', cert: 'a.pem', key: 'a.key', listen: ':80' });
  });

  it('are not asked if an argument names a certificate that cannot be used', async () => {
    await assert.rejects(dialogue(['3000', '--cert', 'x'], []), { message: '--cert: x is no certificate' });
  });
});
