import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { Prompt } from '../../../../src/cli/terminal/prompt.ts';
import { StartError } from '../../../../src/core/errors.ts';

interface Dialogue {
  readonly prompt: Prompt;
  readonly input: PassThrough;
  /** Returns all output so far. */
  readonly shown: () => string;
}

/** @param isTTY whether the prompt edits lines and echoes keys, as at a terminal */
function dialogue(isTTY: boolean): Dialogue {
  const input = new PassThrough();
  const output = Object.assign(new PassThrough(), { isTTY, columns: 80 });
  let text = '';
  output.setEncoding('utf8').on('data', (part: string) => (text += part));
  return { prompt: new Prompt(input, output), input, shown: () => text };
}

for (const isTTY of [true, false]) {
  describe(`a prompt ${isTTY ? 'at a terminal' : 'at a pipe'}`, () => {
    it('answers each question with the next line', async () => {
      const { prompt, input, shown } = dialogue(isTTY);
      for (const answer of ['4000', '']) {
        const asked = prompt.ask('Port? ');
        input.write(`${answer}\n`);
        assert.equal(await asked, answer);
      }
      prompt.close();
      assert.match(shown(), /Port\? [\s\S]*Port\? /);
    });

    it('keeps lines that arrive before their questions', async () => {
      const { prompt, input, shown } = dialogue(isTTY);
      const first = prompt.ask('Port? ');
      input.write('4000\nchat.example.com\n\n');
      assert.equal(await first, '4000');
      assert.equal(await prompt.ask('Host? '), 'chat.example.com');
      assert.equal(await prompt.ask('TLS? '), '');
      prompt.close();
      assert.match(shown(), /Host\? chat\.example\.com\nTLS\? \n/);
    });

    it('fails if the input ends before an answer, or before the question', async () => {
      const { prompt, input } = dialogue(isTTY);
      const first = prompt.ask('Port? ');
      input.end('4000\nchat');
      assert.equal(await first, '4000');
      assert.equal(await prompt.ask('Host? '), 'chat');
      for (const question of ['TLS? ', 'Address? '])
        await assert.rejects(prompt.ask(question), (error) => error instanceof StartError);
    });
  });
}

describe('Ctrl-C at a prompt', () => {
  it('ends the question', async () => {
    const { prompt, input } = dialogue(true);
    const asked = prompt.ask('Port? ');
    input.write('\u0003');
    await assert.rejects(asked, /the input ended before the last answer: nothing is written/);
  });
});
