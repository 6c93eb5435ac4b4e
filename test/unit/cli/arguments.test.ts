import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { commandToExplain, parseArguments, type Invocation } from '../../../src/cli/arguments.ts';
import { COMMANDS, optionsOf, specOf } from '../../../src/cli/command-line/commands.ts';
import { shortUsage, usage } from '../../../src/cli/usage.ts';
import { UsageError } from '../../../src/core/errors.ts';
import { parameterOf } from '../../../src/primary/admin/commands/parameters.ts';
import { DRAIN_PARAMETERS, type DrainParameter } from '../../../src/protocol/admin/command-parameters.ts';

const ENV = { HOME: '/root' };

function parse(...argv: readonly string[]): Invocation {
  return parseArguments(argv, ENV);
}

function refusal(...argv: readonly string[]): string {
  try {
    parse(...argv);
  } catch (error) {
    assert.ok(error instanceof UsageError, String(error));
    return error.message;
  }
  return 'accepted';
}

describe('arguments', () => {
  it('select a command', () => {
    for (const command of COMMANDS) {
      if (command === 'bench' || command === 'help' || command === 'version') continue;
      const options = {
        argv: [command],
        configFile: null,
        overrides: [],
        env: ENV,
        flags: new Map(),
        lists: new Map(),
        operands: [],
      };
      assert.deepEqual(parse(command), { kind: 'command', command, options });
    }
    assert.deepEqual(parse(), { kind: 'none' });
  });

  it('give every option one kind of value, and one letter, in all commands', () => {
    const kinds = new Map<string, string>();
    for (const command of COMMANDS) {
      if (command === 'bench') continue;
      for (const { name, short, value } of optionsOf(command)) {
        const kind = `${short ?? '-'} ${value === undefined ? 'switch' : 'value'}`;
        assert.equal(kinds.get(name) ?? kind, kind, `${command} --${name}`);
        kinds.set(name, kind);
      }
    }
  });

  it('accept --config in every usual form, and the last one wins', () => {
    const forms = [
      ['-c', 'a.yaml'],
      ['-ca.yaml'],
      ['--config', 'a.yaml'],
      ['--config=a.yaml'],
      ['-c', 'b', '-c', 'a.yaml'],
    ];
    for (const form of forms) {
      for (const argv of [
        ['check', ...form],
        [...form, 'check'],
      ]) {
        const invocation = parse(...argv);
        assert.equal(
          invocation.kind === 'command' && invocation.options.configFile,
          'a.yaml',
          argv.join(' '),
        );
      }
    }
  });

  it('keep every --set in order and unchanged', () => {
    const invocation = parse('run', '--set', 'a=1', '--set=b=-x=y', '--set', 'c=');
    assert.deepEqual(invocation.kind === 'command' && invocation.options.overrides, ['a=1', 'b=-x=y', 'c=']);
  });

  it('turn run -t into check', () => {
    for (const option of ['-t', '--test']) {
      const invocation = parse('run', option, '-c', 'a');
      assert.equal(invocation.kind === 'command' && invocation.command, 'check');
    }
    assert.match(refusal('check', '-t'), /check has no option -t: only run has it/);
  });

  it('name at most three commands that have an option of another command', () => {
    assert.match(refusal('check', '--host', 'a'), /check has no option --host: only to and init have it/);
    assert.match(refusal('check', '--json'), /: only explain, status, top and others have it/);
  });

  it('accept the rates and durations of a drain', () => {
    const invocation = parse('drain', '--rate', '30/m', '--deadline', '1.5h', '--jitter=0');
    assert.deepEqual(invocation.kind === 'command' && [...invocation.options.flags.values()], [
      '30/m',
      '1.5h',
      '0',
    ]);
    assert.equal(parse('drain', '--rate', '50').kind, 'command');
    assert.equal(
      parse('drain', '--rate', '1000000/s', '--deadline', '20d', '--jitter', '20d').kind,
      'command',
    );
  });

  it('accept an operand if the command has one, and validate the options of session commands', () => {
    const invocation = parse('kick', 'a0-7', '--code', '4000', '--reason=bye');
    assert.deepEqual(invocation.kind === 'command' && invocation.options.operands, ['a0-7']);
    assert.equal(refusal('revoke', 'a', 'b'), 'revoke takes no argument "b": a file is given with -c b');
    assert.equal(
      refusal('kick', 'a0-7', '--code', '1006'),
      '--code 1006: write 1000, 1001, 1008, 1011 to 1013, or 3000 to 4999',
    );
    assert.equal(
      refusal('kick', `--reason=${'x'.repeat(124)}`),
      `--reason ${'x'.repeat(80)}...: write at most 123 bytes of UTF-8`,
    );
    assert.match(refusal('sessions', '--limit', '1001'), /write a number from 1 to 1000$/);
  });

  it('request help or the version before other options are checked', () => {
    assert.deepEqual(parse('--help'), { kind: 'help', command: null });
    assert.deepEqual(parse('-h'), { kind: 'help', command: null });
    assert.deepEqual(parse('run', '--help', '-t'), { kind: 'help', command: 'run' });
    assert.deepEqual(parse('--version'), { kind: 'version' });
    assert.deepEqual(parse('-V'), { kind: 'version' });
    assert.deepEqual(parse('-v'), { kind: 'version' });
    for (const argv of [
      ['drain', '-v'],
      ['-v', 'drain'],
    ]) {
      assert.equal(refusal(...argv), 'drain has no option -v: only sluice -v prints the version');
    }
    assert.equal(refusal('rum', '--help'), 'unknown command "rum": did you mean run?');
    assert.deepEqual(parse('help'), { kind: 'help', command: null });
    assert.deepEqual(parse('help', 'run'), { kind: 'help', command: 'run' });
    assert.deepEqual(parse('help', 'bench'), { kind: 'help', command: 'bench' });
    assert.deepEqual(parse('bench', '--help'), { kind: 'help', command: 'bench' });
    assert.deepEqual(parse('version'), { kind: 'version' });
    assert.equal(refusal('help', 'chekc'), 'unknown command "chekc": did you mean check?');
    assert.equal(refusal('help', 'run', 'run'), 'help takes no argument "run"');
  });

  it('pass everything after bench to the load generator', () => {
    const argv = ['ws://127.0.0.1/', '-c', '5', '--set'];
    assert.deepEqual(parse('bench', ...argv), { kind: 'bench', argv });
    assert.equal(refusal('bnech'), 'unknown command "bnech": did you mean bench?');
  });

  const rates = 'write a number and a unit, such as 100/s, up to 1000000/s';
  const durations = 'write a number and a unit, such as 5m, up to 20d';
  for (const [option, text, remedy] of [
    ['--rate', 'fast', rates],
    ['--rate', '1000001', rates],
    ['--rate', '2000000/s', rates],
    ['--deadline', '5', durations],
    ['--deadline', '30d', durations],
    ['--jitter', '1/s', durations],
    ['--jitter', '21d', durations],
  ] as const) {
    it(`refuse ${option} ${text} with the words of the admin API`, () => {
      const refused = `${option} ${text}: ${remedy}`;
      assert.equal(refusal('drain', option, text), refused);
      assert.equal(refusal('drain', `${option}=${text}`), refused);
      const parameter = DRAIN_PARAMETERS[option.slice(2) as DrainParameter];
      const query = new URLSearchParams({ key: text });
      assert.throws(() => parameterOf(query, 'key', parameter), { message: `key: ${remedy}` });
    });
  }

  it('describe each mistake in one line', () => {
    assert.equal(refusal('--json'), 'no command given');
    assert.equal(refusal('chekc'), 'unknown command "chekc": did you mean check?');
    assert.equal(refusal('serve'), 'unknown command "serve"');
    assert.equal(refusal('check', '--sett', 'a=1'), 'unknown option --sett: did you mean --set?');
    assert.equal(refusal('check', '-x'), 'unknown option -x');
    assert.equal(refusal('check', '-c'), '-c needs a file');
    assert.equal(refusal('check', '--config='), '--config needs a file');
    assert.equal(refusal('check', '-c', '--set', 'a=1'), '-c needs a file');
    assert.equal(refusal('check', '--set'), '--set needs path=value');
    assert.equal(refusal('check', '--set', 'a'), '--set a: write path=value, such as --set log.level=debug');
    assert.equal(
      refusal('check', '--set', '=a'),
      '--set =a: write path=value, such as --set log.level=debug',
    );
    assert.equal(refusal('drain', '--rate', '-1'), '--rate needs a rate, such as 100/s');
    assert.equal(refusal('run', '--watch=yes'), '--watch takes no value');
    assert.equal(
      refusal('check', 'a.yaml'),
      'check takes no argument "a.yaml": a file is given with -c a.yaml',
    );
    assert.equal(refusal('check', '--', '-x'), 'check takes no argument "-x": a file is given with -c -x');
  });

  it('never throw anything but a usage error', () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom(
        ...COMMANDS,
        '-c',
        '--set',
        'a=1',
        '-t',
        '-h',
        '-V',
        '--',
        '-',
        '--no-set',
        '-tc',
        '--__proto__',
        '-=',
        '--=',
      ),
    );
    fc.assert(fc.property(fc.array(word, { maxLength: 5 }), (argv) => void refusal(...argv)));
  });
});

describe('the command of an error', () => {
  it('is the first argument that is no option or value', () => {
    for (const [command, ...argv] of [
      ['to', 'to', '--hots', 'a'],
      ['check', '-c', 'run', 'check', '--x'],
      ['bench', 'bench', 'http://a'],
      [null, 'help', 'nope'],
      [null, 'chekc', 'run'],
      [null, '--nope'],
      [null],
    ] as const)
      assert.equal(commandToExplain(argv), command);
  });
});

describe('usage', () => {
  it('lists every command, and the options of each command', () => {
    for (const command of COMMANDS) {
      assert.match(usage(null), new RegExp(`^  ${command} `, 'm'));
      const text = usage(command);
      for (const form of specOf(command).synopsis)
        assert.ok(text.includes(` sluice ${command} ${form}`.trimEnd()), text);
      for (const { name } of optionsOf(command)) assert.ok(text.includes(`--${name}`), `${command} ${name}`);
    }
    assert.match(usage('bench'), /^ +fan-out {2}one publisher/m);
  });

  it('names the commands to start with if nothing is given, on one screen', () => {
    for (const command of ['to', 'init', 'run']) {
      assert.match(shortUsage(), new RegExp(`^  ${command} `, 'm'));
    }
    assert.match(shortUsage(), /^All commands: sluice help\n$/m);
    assert.ok(shortUsage().split('\n').length < 24);
  });

  it('fits in 80 columns', () => {
    for (const text of [shortUsage(), ...[null, ...COMMANDS].map(usage)]) {
      assert.ok(text.endsWith('\n'));
      for (const line of text.split('\n')) assert.ok(line.length <= 80, line);
    }
  });
});
