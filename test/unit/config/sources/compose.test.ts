import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, it } from 'node:test';
import { loadConfig, type LoadedConfig } from '../../../../src/config/loader.ts';
import { ItemMemory } from '../../../../src/config/syntax/item-memory.ts';
import type { ConfigProblem } from '../../../../src/core/errors.ts';
import { ConfigError } from '../../../../src/core/errors.ts';
import { l7Of, scratchDirectory } from '../load.ts';

const MAIN = 'sluice.yaml';
const CLUSTERS = 'clusters: [{ name: app, endpoints: [{ address: "127.0.0.1:9001" }] }]\n';
const LISTENERS =
  'listeners: [{ name: web, mode: l7, address: ":1", routes: [{ match: {}, cluster: app }] }]\n';

describe('included files', () => {
  const directory = scratchDirectory();
  beforeEach(() => {
    rmSync(directory, { recursive: true });
    mkdirSync(directory);
  });

  function write(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(directory, name)), { recursive: true });
      writeFileSync(join(directory, name), text);
    }
  }

  function load(
    files: Readonly<Record<string, string>>,
    env = {},
    memory: ItemMemory | null = null,
  ): LoadedConfig {
    write(files);
    return loadConfig({ file: join(directory, MAIN), overrides: [], env }, memory);
  }

  function problemsOf(files: Readonly<Record<string, string>>, env = {}): string[] {
    try {
      load(files, env);
      return [];
    } catch (error) {
      assert.ok(error instanceof ConfigError);
      return error.problems.map(lineOf);
    }
  }

  const lineOf = ({ place, message }: ConfigProblem): string =>
    `${place}: ${message}`.replaceAll(`${directory}/`, '');
  const warningsOf = ({ warnings }: LoadedConfig): string[] => warnings.map(lineOf);

  it('append their lists in order, and add other settings', () => {
    const loaded = load({
      [MAIN]: `include: [more.yaml, 'sites/*.yaml']\nlog: { level: warn }\n${CLUSTERS}${LISTENERS}`,
      'more.yaml':
        'log: { format: pretty }\nworkers: { l7: 2 }\nclusters: [{ name: b, endpoints: [{ address: "127.0.0.1:2" }] }]\ndemo:\n',
      'sites/2.yaml': 'listeners:\n  - { name: two, mode: l4, address: ":2", cluster: d }\n',
      'sites/10.yaml':
        'include: [deep/d.yaml]\nlisteners:\n  - { name: ten, mode: l4, address: ":3", cluster: b }\n',
      'deep/d.yaml': 'clusters:\n  - { name: d, endpoints: [{ address: "127.0.0.1:3" }] }\n',
      'sites/empty.yaml': '# nothing\n',
      'sites/not.txt': '{',
    });
    assert.deepEqual(warningsOf(loaded), []);
    assert.deepEqual(
      loaded.config.listeners.map(({ name }) => name),
      ['web', 'ten', 'two'],
    );
    assert.deepEqual(
      loaded.config.clusters.map(({ name }) => name),
      ['app', 'b', 'd'],
    );
    assert.deepEqual(
      [loaded.config.log.level, loaded.config.log.format, loaded.config.workers.l7],
      ['warn', 'pretty', 2],
    );
    assert.deepEqual(
      loaded.files.map((file) => file.replace(`${directory}/`, '')),
      [MAIN, 'more.yaml', 'sites/*.yaml', 'sites/10.yaml', 'sites/2.yaml', 'sites/empty.yaml', 'deep/d.yaml'],
    );
  });

  it('can have everything', () => {
    const loaded = load({ [MAIN]: "include: ['*.part']\n", 'a.part': LISTENERS, 'b.part': CLUSTERS });
    assert.equal(loaded.config.listeners.length + loaded.config.clusters.length, 2);
  });

  it('give a list of routes to a listener', () => {
    const listener = `listeners:\n  - name: web\n    mode: l7\n    address: ":1"\n    routes:\n      - { name: first, match: { path: /a }, cluster: app }\n      - include: 'sites/*.yaml'\n      - { name: last, match: {}, cluster: app }\n`;
    const files = {
      [MAIN]: `include: [listener.yaml]\n${CLUSTERS}`,
      'listener.yaml': listener,
      'sites/b.yaml': '- { name: b, match: { path: /b }, cluster: app }\n- include: shared.yaml\n',
      'sites/c.yaml': '',
      'shared.yaml': '- { name: shared, match: { path: /s }, cluster: app }\n',
    };
    const names = l7Of(load(files)).routes.map(({ name }) => name);
    assert.deepEqual(names, ['first', 'b', 'shared', 'last']);
    const broken = {
      ...files,
      'sites/b.yaml': '# a comment\n- { name: b, match: { path: /b }, clutser: app }\n',
      'shared.yaml': '',
    };
    assert.deepEqual(problemsOf(broken), [
      'sites/b.yaml:2:3: a route needs one of cluster, to, static, respond, redirect',
      'sites/b.yaml:2:35: unknown key "clutser" in a route: did you mean "cluster"?',
    ]);
  });

  it('may be shared by two listeners', () => {
    const listener = (name: string, port: number): string =>
      `  - { name: ${name}, mode: l7, address: ":${port}", routes: [include: r.yaml] }\n`;
    const loaded = load({
      [MAIN]: `${CLUSTERS}listeners:\n${listener('a', 1)}${listener('b', 2)}`,
      'r.yaml': '- { match: {}, cluster: app }\n',
    });
    assert.deepEqual(
      loaded.config.listeners.map((each) => each.mode === 'l7' && each.routes.length),
      [1, 1],
    );
  });

  it('have the places of their errors, warnings and duplicate keys', () => {
    assert.deepEqual(
      problemsOf({
        [MAIN]: `include: [a.yaml, b.yaml]\nlog: { levle: x }\n${LISTENERS}`,
        'a.yaml':
          'log:\n  format: xml\nclusters:\n  - &c { name: app, retries: -1, endpoints: [{ address: "127.0.0.1:1" }] }\n',
        'b.yaml':
          'workers: { l7: 1, l7: 2 }\nclusters:\n  - name: app\n    endpoints:\n      - address: nowhere\n',
      }),
      [
        'sluice.yaml:2:8: unknown key "levle" in "log": did you mean "level"?',
        'a.yaml:2:11: format: "xml" is not one of auto, json, pretty',
        'a.yaml:4:30: retries: -1 is out of range: write 0 to 100',
        'b.yaml:1:19: "l7" is set twice here: keep one of them',
        'b.yaml:3:11: two clusters have the name "app": rename one',
        'b.yaml:5:18: address: "nowhere" is not an endpoint\'s address: write host:port, [ipv6]:port or unix:/path, such as "127.0.0.1:9001"',
      ],
    );
  });

  it('may not set what another file sets', () => {
    assert.deepEqual(
      problemsOf({
        [MAIN]: `include: [a.yaml]\nlog:\n  level: warn\ndrain: { rate: 1/s }\n${CLUSTERS}${LISTENERS}`,
        'a.yaml': 'log:\n  format: json\n  level: info\ndrain: 5\n',
      }),
      [
        'a.yaml:3:10: level is also set at sluice.yaml:3:3: keep one of them',
        'a.yaml:4:8: drain is also set at sluice.yaml:4:1: keep one of them',
      ],
    );
  });

  it('are refused where they are named', () => {
    const rest = `${CLUSTERS}${LISTENERS}`;
    assert.deepEqual(
      problemsOf({ [MAIN]: `include: [none.yaml, '', 5, 'a*/b', "\${NO}"]\n${rest}`, a: '' }),
      [
        `sluice.yaml:1:11: the included file none.yaml cannot be read: file not found (looked for none.yaml)`,
        'sluice.yaml:1:22: include: "" is not a file: write a path such as "sites/*.yaml"',
        'sluice.yaml:1:26: include: 5 is not a file: write a path such as "sites/*.yaml"',
        'sluice.yaml:1:29: "a*/b" has a star in a directory: only the last part may have one',
        'sluice.yaml:1:37: the environment has no NO: set it, or write ${NO:-default}',
      ],
    );
    assert.deepEqual(problemsOf({ [MAIN]: `include: { a: b }\n${rest}` }), [
      'sluice.yaml:1:1: include: a mapping is not a file: write a path such as "sites/*.yaml"',
    ]);
    assert.deepEqual(
      problemsOf({ [MAIN]: `include: [a.yaml]\n${rest}`, 'a.yaml': 'log: [\n' }).map((line) =>
        line.slice(0, 11),
      ),
      ['a.yaml:2:1:'],
    );
    assert.deepEqual(problemsOf({ [MAIN]: `include: [a.yaml]\n${rest}`, 'a.yaml': '- a\n' }), [
      'a.yaml:1:1: the file has no keys: write keys of the root, such as "clusters:"',
    ]);
    assert.deepEqual(problemsOf({ [MAIN]: `include: [a.yaml, ./a.yaml]\n${rest}`, 'a.yaml': '' }), [
      'sluice.yaml:1:19: a.yaml is included twice: keep one of them',
    ]);
    assert.deepEqual(
      problemsOf({
        [MAIN]: `${CLUSTERS}${LISTENERS.replace('{ match: {}, cluster: app }', 'include: a.yaml')}`,
        'a.yaml': 'a: 1\n',
      }),
      ['a.yaml:1:1: the file is not a list of routes: write "- " before each route, or [ ] around all'],
    );
  });

  it('may not include themselves', () => {
    const rest = `${CLUSTERS}${LISTENERS}`;
    assert.deepEqual(
      problemsOf({
        [MAIN]: `include: [a.yaml]\n${rest}`,
        'a.yaml': 'include: [b.yaml]\n',
        'b.yaml': 'include: [a.yaml]\n',
      }),
      ['b.yaml:1:11: this include is a circle: a.yaml > b.yaml > a.yaml. Remove one include of it'],
    );
    assert.deepEqual(problemsOf({ [MAIN]: `include: [sluice.yaml]\n${rest}` }), [
      'sluice.yaml:1:11: this include is a circle: sluice.yaml > sluice.yaml. Remove one include of it',
    ]);
  });

  it('are all other files if the file that has a pattern matches it', () => {
    const listener = LISTENERS.replace('{ match: {}, cluster: app }', "include: 'r*.part'");
    const { config } = load({
      [MAIN]: `include: '*.yaml'\n${listener}`,
      'a.yaml': CLUSTERS,
      'r.part': "- { match: { path: /r }, cluster: app }\n- include: 'r*.part'\n",
      'r2.part': '- { match: { path: /r2 }, cluster: app }\n',
    });
    const [web] = config.listeners;
    assert.deepEqual(web?.mode === 'l7' && web.routes.map(({ match }) => match.path), ['/r', '/r2', '/r2']);
  });

  it('are a text or a list, at the root and among routes', () => {
    const files = {
      'a.yaml': CLUSTERS,
      'b.yaml': 'log: { level: warn }\n',
      'r.part': '- { name: r, match: { path: /r }, cluster: app }\n',
      's.part': '- { name: s, match: {}, cluster: app }\n',
    };
    const routes = (include: string): string => LISTENERS.replace('{ match: {}, cluster: app }', include);
    const text = load({
      ...files,
      [MAIN]: `include: a.yaml\n${routes('include: r.part, include: s.part').replace('include: r.part,', '{ include: r.part },')}`,
    });
    const list = load({
      ...files,
      [MAIN]: `include: [a.yaml, b.yaml]\n${routes('include: [r.part, s.part]')}`,
    });
    for (const loaded of [text, list]) {
      assert.deepEqual(
        l7Of(loaded).routes.map(({ name }) => name),
        ['r', 's'],
      );
    }
    assert.deepEqual(problemsOf({ ...files, [MAIN]: `include: a.yaml\n${routes('include: [r.part, 5]')}` }), [
      'sluice.yaml:2:78: include: 5 is not a file: write a path such as "sites/*.yaml"',
    ]);
  });

  it('nest 8 levels at most', () => {
    const chain = Object.fromEntries(
      Array.from({ length: 12 }, (_, index) => [`${index}.part`, `include: [${index + 1}.part]\n`]),
    );
    assert.deepEqual(problemsOf({ ...chain, [MAIN]: `include: [0.part]\n${CLUSTERS}${LISTENERS}` }), [
      '7.part:1:11: files include files more than 8 levels deep: use fewer levels',
    ]);
  });

  it('cannot expand to more values than one file may have', () => {
    const list = `- &a [${'x, '.repeat(99)}x]\n${'- *a\n'.repeat(900)}`;
    const routes = Array.from({ length: 10 }, () => 'include: r.yaml').join(', ');
    const problems = problemsOf({
      [MAIN]: `${CLUSTERS}listeners: [{ name: web, mode: l7, address: ":1", routes: [${routes}] }]\n`,
      'r.yaml': list,
    });
    assert.match(problems[0] ?? '', /^sluice\.yaml:2:\d+: included files come to more than 500000 values/);
  });

  it('cause a warning if a pattern has no match', () => {
    const loaded = load({ [MAIN]: `include: ['sites/*.yaml']\n${CLUSTERS}${LISTENERS}`, 'sites/x': '' });
    assert.deepEqual(warningsOf(loaded), [
      `sluice.yaml:1:11: no file matches "sites/*.yaml" (looked in sites)`,
    ]);
    const other = load({ [MAIN]: `include: ['none/*.yaml']\n${CLUSTERS}${LISTENERS}` });
    assert.deepEqual(warningsOf(other), [`sluice.yaml:1:11: no file matches "none/*.yaml" (looked in none)`]);
  });

  it('give way to the environment and --set', () => {
    write({
      [MAIN]: `include: [a.yaml]\n${CLUSTERS}${LISTENERS}`,
      'a.yaml': 'log: { level: info, format: xml }\n',
    });
    const overrides = ['log.level=debug', 'listeners.0.name=own'];
    const { config } = loadConfig({
      file: join(directory, MAIN),
      overrides,
      env: { SLUICE_LOG_FORMAT: 'pretty' },
    });
    assert.deepEqual(
      [config.log.level, config.log.format, config.listeners[0]!.name],
      ['debug', 'pretty', 'own'],
    );
    assert.throws(
      () =>
        loadConfig({
          file: join(directory, MAIN),
          overrides: ['include=[a.yaml]', 'log.format=json'],
          env: {},
        }),
      /--set include: only a file can include files: write include there/,
    );
  });

  it('are remembered from load to load', () => {
    const names = Array.from({ length: 600 }, (_, index) => `c${index}`);
    const clusters = (address: string): string =>
      `clusters:\n${names.map((name) => `  - name: ${name}\n    endpoints:\n      - { address: "127.0.0.1:${address}" }\n`).join('')}`;
    const routes = names
      .map((name) => `- { name: ${name}, match: { host: ${name}.example.com }, cluster: ${name} }\n`)
      .join('');
    const main = `include: [clusters.yaml]\nlisteners: [{ name: web, mode: l7, address: ":1", routes: [include: routes.yaml] }]\n`;
    const memory = new ItemMemory();
    const files = { [MAIN]: main, 'clusters.yaml': clusters('1'), 'routes.yaml': routes };
    const first = load(files, {}, memory);
    const changed = { ...files, 'routes.yaml': `${routes}- { name: more, match: {}, cluster: c1 }\n` };
    const second = load(changed, {}, memory);
    assert.equal(second.config.clusters[5], first.config.clusters[5]);
    assert.equal(l7Of(second).routes[5], l7Of(first).routes[5]);
    assert.equal(l7Of(second).routes.length, 601);
    assert.deepEqual(second.config, load(changed).config);
  });
});
