/** The page of the manual, as the programs that show it read it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { COMMANDS, optionsOf } from '../../../src/cli/command-line/commands.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const PAGE = join(ROOT, 'man/sluice.1');

function isMissing(program: string): string | false {
  return spawnSync('which', [program]).status === 0 ? false : `${program} is not installed`;
}

describe('man/sluice.1', () => {
  // npm links only a list, not a single text.
  it('is in package.json, and has every command', () => {
    const { man, files } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      man: string[];
      files: string[];
    };
    assert.deepEqual([man, files.includes('man')], [['man/sluice.1'], true]);
    const page = readFileSync(PAGE, 'utf8');
    for (const command of COMMANDS) assert.ok(page.includes(`\n.SS sluice ${command}\n`), command);
  });

  it('has no fault that mandoc finds', { skip: isMissing('mandoc') }, () => {
    const { stdout, stderr } = spawnSync('mandoc', ['-Tlint', PAGE], { encoding: 'utf8', timeout: 30_000 });
    assert.equal(`${stdout}${stderr}`, '');
  });

  it('shows every option as the help does', { skip: isMissing('mandoc') }, () => {
    const { stdout } = spawnSync('mandoc', ['-Tascii', PAGE], { encoding: 'utf8', timeout: 30_000 });
    // Bold letters are overstruck: a letter, a backspace, the letter again.
    const text = stdout.replaceAll(/.\u0008/g, '');
    for (const command of COMMANDS)
      for (const { name, value } of optionsOf(command)) {
        const label = `--${name}${value === undefined ? '' : ` ${value.name}`}`;
        assert.ok(text.includes(label), `${command} ${label}`);
      }
  });
});
