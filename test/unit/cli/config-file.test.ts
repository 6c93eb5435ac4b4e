import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { adminSource, configSource, sourceReadOnce } from '../../../src/cli/config-file.ts';

function found(files: readonly string[], configFile: string | null = null, SLUICE_CONFIG?: string): string {
  const options = { configFile, overrides: [], env: { SLUICE_CONFIG } };
  return configSource(options, (path) => files.includes(path)).file;
}

describe('the configuration of a command', () => {
  it('is the file of -c, then of SLUICE_CONFIG, then of the first place that has one', () => {
    const files = ['sluice.yaml', '/etc/sluice/sluice.yaml'];
    assert.equal(found(files, 'a.yaml', 'b.yaml'), 'a.yaml');
    assert.equal(found(files, null, 'b.yaml'), 'b.yaml');
    assert.equal(found(files, null, ''), 'sluice.yaml');
    assert.equal(found(['/etc/sluice/sluice.yaml']), '/etc/sluice/sluice.yaml');
  });

  it('may also be sluice.yml or sluice.json', () => {
    assert.equal(found(['sluice.yml', '/etc/sluice/sluice.yaml']), 'sluice.yml');
    assert.equal(found(['/etc/sluice/sluice.json']), '/etc/sluice/sluice.json');
  });

  it('is refused if a place has two', () => {
    assert.throws(() => found(['sluice.yml', 'sluice.json']), {
      name: 'StartError',
      message: 'both sluice.yml and sluice.json exist: remove one, or name one with -c sluice.yml',
    });
  });

  it('is refused if no place has one, with both places and three remedies', () => {
    assert.throws(
      () => found([]),
      /no \.\/sluice\.yaml and no \/etc\/sluice\/sluice\.yaml\. .* -c FILE, .* sluice init, .* sluice to 3000$/,
    );
  });
});

describe('a configuration on standard input', () => {
  const options = (
    configFile: string | null,
    SLUICE_CONFIG?: string,
  ): Parameters<typeof sourceReadOnce>[0] => ({
    configFile,
    overrides: ['log.level=warn'],
    env: { SLUICE_CONFIG },
  });

  it('is read once, for - in place of a file', async () => {
    // A character is divided between two chunks.
    const bytes = Buffer.from('# \u00e4\nlog: { level: debug }\n');
    for (const given of [options('-'), options(null, '-')]) {
      const source = await sourceReadOnce(given, chunks(bytes.subarray(0, 3), bytes.subarray(3)));
      assert.deepEqual(source, {
        file: '<stdin>',
        text: bytes.toString(),
        overrides: ['log.level=warn'],
        env: given.env,
      });
    }
    assert.equal((await sourceReadOnce(options('a.yaml', '-'), chunks())).file, 'a.yaml');
  });

  it('has a limit', async () => {
    const mebibyte = Buffer.alloc(1024 * 1024, '#');
    const many = Array.from({ length: 9 }, () => mebibyte);
    await assert.rejects(sourceReadOnce(options('-'), chunks(...many)), {
      name: 'StartError',
      message: 'standard input has more than 8MiB: leave out comments and defaults',
    });
  });

  it('is refused by commands that need it again', () => {
    for (const source of [configSource, adminSource]) {
      assert.throws(
        () => source(options('-')),
        /^StartError: only check and print-config read standard input: /,
      );
    }
  });

  // eslint-disable-next-line @typescript-eslint/require-await
  async function* chunks(...given: readonly Buffer[]): AsyncIterable<Buffer> {
    yield* given;
  }
});
