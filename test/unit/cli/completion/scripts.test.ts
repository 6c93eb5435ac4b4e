/** The completion scripts, run by their shells. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { bashScript } from '../../../../src/cli/completion/bash.ts';
import { fishScript } from '../../../../src/cli/completion/fish.ts';
import { zshScript } from '../../../../src/cli/completion/zsh.ts';
import { COMMANDS } from '../../../../src/cli/command-line/commands.ts';

const TIMEOUT_MS = 30_000;
const folder = mkdtempSync(join(tmpdir(), 'sluice-completion-'));

function isMissing(shell: string): string | false {
  const { error } = spawnSync(shell, ['-c', 'exit'], { timeout: TIMEOUT_MS });
  return error === undefined ? false : `${shell} is not installed`;
}

function run(shell: string, args: readonly string[], input = ''): string {
  const env = { PATH: process.env.PATH, HOME: folder, TERM: 'dumb' };
  const result = spawnSync(shell, args, { cwd: folder, env, input, encoding: 'utf8', timeout: TIMEOUT_MS });
  assert.deepEqual([result.status, result.stderr], [0, '']);
  return result.stdout;
}

before(() => {
  for (const name of ['edge file.yaml', 'edge.pem', 'only.txt']) writeFileSync(join(folder, name), '');
  writeFileSync(join(folder, 'sluice.bash'), bashScript());
  writeFileSync(join(folder, '_sluice'), zshScript());
  writeFileSync(join(folder, 'sluice.fish'), fishScript());
});
after(() => rmSync(folder, { recursive: true }));

/** Words with the completions of the last one. */
const CASES: readonly (readonly [words: readonly string[], completions: readonly string[]])[] = [
  [['che'], ['check']],
  [['tap', '--max'], ['--max-payload']],
  [
    ['bench', '--expect', ''],
    ['same', 'count', 'none'],
  ],
  [
    ['completion', ''],
    ['bash', 'zsh', 'fish'],
  ],
  [['help', 'print'], ['print-config']],
  [['explain', 'listeners.tls.minV'], ['listeners.tls.minVersion']],
  [
    ['explain', 'listeners.to.stic'],
    [
      'listeners.to.sticky',
      'listeners.to.sticky.cookie',
      'listeners.to.sticky.ttl',
      'listeners.to.sticky.secret',
      'listeners.to.sticky.secretFile',
      'listeners.to.sticky.sameSite',
      'listeners.to.sticky.secure',
    ],
  ],
  [['explain', 'listeners.routes.to.loadF'], ['listeners.routes.to.loadFactor']],
];

describe('the completion of bash', { skip: isMissing('bash') }, () => {
  /** Returns what _sluice offers. Readline completes files itself, so `compopt` is made to fail, as before bash 4. */
  function completions(words: readonly string[]): string[] {
    const script = `
      source ./sluice.bash
      compopt() { return 1; }
      COMP_WORDS=(sluice "$@"); COMP_CWORD=$#
      _sluice
      printf '%s\\n' "\${COMPREPLY[@]}"
    `;
    return run('bash', ['--norc', '-c', script, 'bash', ...words])
      .split('\n')
      .filter((line) => line !== '');
  }

  for (const [words, expected] of CASES) {
    it(`completes sluice ${words.join(' ')}`, () => assert.deepEqual(completions(words), expected));
  }

  it('offers all commands, and the words of --option=', () => {
    assert.deepEqual(completions(['']), [...COMMANDS, '--help', '--version']);
    assert.deepEqual(completions(['bench', '--expect', '=', 'n']), ['none']);
  });

  it('offers the files with an end of a configuration', () => {
    assert.deepEqual(completions(['run', '-c', 'edge']), ['edge file.yaml']);
  });

  it('offers all files if no name has an end of a configuration', () => {
    assert.deepEqual(completions(['check', '-c', 'only']), ['only.txt']);
  });

  it('is found by complete', () => {
    assert.equal(
      run('bash', ['--norc', '-c', 'source ./sluice.bash; complete -p sluice']),
      'complete -F _sluice sluice\n',
    );
  });
});

describe('the completion of zsh', { skip: isMissing('zsh') }, () => {
  it('has a correct syntax', () => {
    assert.equal(run('zsh', ['-f', '-n', '_sluice']), '');
  });

  it('defines a completion when it is sourced after compinit', () => {
    const script = 'autoload -U compinit; compinit -u -D; source ./_sluice; print -- $_comps[sluice]';
    assert.equal(run('zsh', ['-f', '-c', script]), '_sluice\n');
  });
});

describe('the completion of zsh at a prompt', { skip: isMissing('zsh') }, () => {
  /** Types lines in an interactive zsh, each with a tab, and returns what stands on the command line. */
  function completed(lines: readonly string[]): string[] {
    const script = `
      zmodload zsh/zpty
      zpty terminal zsh -f -i
      send() { zpty -w -n terminal $1 }
      zpty -w terminal "autoload -U compinit; compinit -u -D; source ./_sluice"
      zpty -w terminal 'report() { print -r -- "line""=<$BUFFER>"; BUFFER=; }; zle -N report; bindkey "^X" report'
      for line; do
        send "$line"$'\\t\\x18'
        zpty -r terminal screen '*line=<*>*'
        print -r -- "\${\${screen##*line=<}%%>*}"
      done
      zpty -d terminal
    `;
    return run('zsh', ['-f', '-c', script, 'zsh', ...lines])
      .split('\n')
      .filter((line) => line !== '');
  }

  it('completes commands, options, words, keys and files', () => {
    const lines = {
      'sluice che': 'sluice check ',
      'sluice tap --max': 'sluice tap --max-payload ',
      'sluice bench --expect n': 'sluice bench --expect none ',
      'sluice explain listeners.tls.minV': 'sluice explain listeners.tls.minVersion ',
      'sluice run -c ed': String.raw`sluice run -c edge\ file.yaml `,
    };
    assert.deepEqual(completed(Object.keys(lines)), Object.values(lines));
  });
});

describe('the completion of fish', { skip: isMissing('fish') }, () => {
  function completions(words: readonly string[]): string[] {
    const script = `source ./sluice.fish; complete -C "sluice ${words.join(' ')}"`;
    return run('fish', ['--no-config', '-c', script])
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split('\t')[0]!);
  }

  for (const [words, expected] of CASES) {
    it(`completes sluice ${words.join(' ')}`, () =>
      assert.deepEqual(completions(words).sort(), [...expected].sort()));
  }

  it('offers the files with an end of a configuration first', () => {
    assert.deepEqual(completions(['run', '-c', 'e']), ['edge file.yaml', 'edge.pem']);
    assert.deepEqual(completions(['run', '-c', 'only']), ['only.txt']);
  });
});
