import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LogOutput, type OutputTrouble } from '../../../../src/telemetry/output/log-output.ts';
import { FakeFiles } from './fake-files.ts';

interface Setup {
  readonly output: LogOutput;
  readonly files: FakeFiles;
  readonly troubles: OutputTrouble[];
  readonly time: { now: number };
  readonly role: { mayRotate: boolean };
}

/** @param onTrouble called after each trouble has been noted */
function setup(
  maxSizeBytes: number,
  keep = 3,
  files = new FakeFiles(),
  onTrouble = (): void => undefined,
): Setup {
  const troubles: OutputTrouble[] = [];
  const time = { now: 0 };
  const role = { mayRotate: true };
  const output = new LogOutput(
    'log',
    { file: '/log', maxSizeBytes, keep },
    {
      files,
      clock: () => time.now,
      schedule: () => () => undefined,
      stdout: 1,
      maxWaitingBytes: 1e6,
      mayRotate: () => role.mayRotate,
      onTrouble: (trouble) => {
        troubles.push(trouble);
        onTrouble();
      },
    },
  );
  return { output, files, troubles, time, role };
}

function lines(first: number, last: number): string {
  let text = '';
  for (let number = first; number <= last; number++) text += `line ${number}\n`;
  return text;
}

describe('a rotated log file', () => {
  it('never exceeds its max size, keeps the configured number of old files, and splits no line', () => {
    const { output, files } = setup(14);
    for (let number = 1; number <= 9; number++) output.write(`line ${number}\n`);
    files.settle();
    assert.deepEqual(files.texts, {
      '/log': lines(9, 9),
      '/log.1': lines(7, 8),
      '/log.2': lines(5, 6),
      '/log.3': lines(3, 4),
    });
    assert.equal(files.open_.size, 1);
  });

  it('has every line once and in order, for all sizes of lines, batches and writes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 6 }), {
          maxLength: 20,
        }),
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 50 }),
        (batches, size, part) => {
          const { output, files } = setup(size, 1000);
          files.maxBytes = part;
          let all = '';
          let number = 0;
          for (const batch of batches) {
            const text = batch.map((length) => `${number++} ${'x'.repeat(length)}\n  more\n`).join('');
            all += text;
            output.write(text);
            if (number % 3 === 0) files.settle();
          }
          files.settle();
          const names = Array.from({ length: files.names.size - 1 }, (_, index) => `/log.${index + 1}`);
          const texts = [...names.reverse(), '/log'].map((name) => files.names.get(name)!.text);
          assert.equal(texts.join(''), all);
          for (const text of texts.slice(0, -1)) {
            assert.match(text, /\n {2}more\n$/);
            assert.match(text, /^\d/);
            const entries = text.split('more\n').length - 1;
            assert.ok(text.length <= size || entries === 1);
          }
        },
      ),
    );
  });

  it('counts existing contents towards its size, and ends a line cut by a crash', () => {
    const files = new FakeFiles();
    files.open('/log');
    files.names.get('/log')!.text = 'line 0\nlin';
    const { output } = setup(20, 3, files);
    output.write(lines(1, 2));
    files.settle();
    assert.deepEqual(files.texts, { '/log': lines(2, 2), '/log.1': `line 0\nlin\n${lines(1, 1)}` });
  });

  it('fills a number left free by a crash during a rotation', () => {
    const files = new FakeFiles();
    for (const name of ['/log', '/log.1', '/log.3']) {
      files.open(name);
      files.names.get(name)!.text = `${name}\n`;
    }
    const { output } = setup(8, 3, files);
    output.write(lines(1, 1));
    files.settle();
    assert.deepEqual(files.texts, {
      '/log': lines(1, 1),
      '/log.1': '/log\n',
      '/log.2': '/log.1\n',
      '/log.3': '/log.3\n',
    });
  });

  it('keeps its mode', () => {
    const { output, files } = setup(7);
    files.names.get('/log')!.mode = 0o600;
    output.write(lines(1, 2));
    files.settle();
    assert.equal(files.names.get('/log')!.mode, 0o600);
  });

  for (const forbidden of ['/log.1', '/log']) {
    it(`grows if ${forbidden} cannot be created, reports it at a limited rate, and retries`, () => {
      const { output, files, troubles, time } = setup(7);
      output.write(lines(1, 1));
      files.settle();
      files.forbidden.add(forbidden);
      for (let number = 2; number <= 4; number++) {
        time.now += 1000;
        output.write(lines(number, number));
        files.settle();
      }
      if (forbidden === '/log.1') assert.deepEqual(files.texts, { '/log': lines(1, 4) });
      assert.deepEqual(troubles, [{ kind: 'rotation', log: 'log', file: '/log', reason: 'EACCES' }]);
      files.forbidden.clear();
      time.now += 10_000;
      output.write(lines(5, 5));
      files.settle();
      assert.equal(Object.values(files.texts).sort().join(''), lines(1, 5));
      assert.equal(files.texts['/log'], lines(5, 5));
    });
  }

  it('has each line once if the report of a failed rotation is itself a line', () => {
    const files = new FakeFiles();
    files.forbidden.add('/log.1');
    const { output }: Setup = setup(7, 1, files, () => output.write('report\n'));
    output.write(lines(1, 1));
    output.write(lines(2, 2));
    files.settle();
    assert.deepEqual(files.texts, { '/log': `${lines(1, 2)}report\n` });
  });

  it('follows a process that rotates the same file, and rotates nothing itself', () => {
    const files = new FakeFiles();
    const old = setup(14, 1, files);
    const young = setup(14, 1, files);
    old.role.mayRotate = false;
    let written = 0;
    for (let number = 1; number <= 20; number++) {
      for (const { output } of [old, young]) {
        output.write(`line ${number}\n`);
        files.settle();
      }
      written = Object.values(files.texts).join('').length;
      assert.ok(written > 0);
      // Each process's newest line is in a file that still has a name.
      const present = Object.values(files.texts).join('').split(`line ${number}\n`).length - 1;
      assert.equal(present, 2);
    }
    assert.deepEqual(Object.keys(files.texts), ['/log', '/log.1']);
  });

  it('is not rotated twice by two processes', () => {
    const files = new FakeFiles();
    const [first, second] = [setup(14, 3, files), setup(14, 3, files)];
    first.output.write(lines(1, 2));
    files.settle();
    second.time.now = 1000;
    second.output.write(lines(3, 3));
    files.settle();
    // The first process does not know yet that the file was replaced.
    first.output.write(lines(4, 4));
    files.settle();
    assert.deepEqual(files.texts, { '/log': lines(3, 4), '/log.1': lines(1, 2) });
  });
});

describe('a log file', () => {
  it('stays in use when it is moved, and is created again when it is removed', () => {
    const { output, files, time } = setup(0);
    files.rename('/log', '/moved');
    time.now += 1000;
    output.write(lines(1, 1));
    files.settle();
    assert.deepEqual(files.texts, { '/moved': lines(1, 1) });
    files.remove('/moved');
    time.now += 1000;
    output.write(lines(2, 2));
    files.settle();
    assert.deepEqual(files.texts, { '/log': lines(2, 2) });
  });

  it('is reopened between two entries, and the old file gets the whole last entry', () => {
    const { output, files } = setup(0);
    files.maxBytes = 3;
    output.write(lines(1, 1));
    const write = files.writes.shift()!;
    write.file.text += 'lin';
    files.rename('/log', '/moved');
    output.reopen();
    output.write(lines(2, 2));
    write.done(null, 3);
    files.settle();
    assert.deepEqual(files.texts, { '/moved': lines(1, 1), '/log': lines(2, 2) });
    assert.equal(files.open_.size, 1);
  });
});
